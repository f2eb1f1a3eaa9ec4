import fc from 'fast-check';
import { isIPv4, isIPv6 } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { IPV4_FORM, IPV6_FORM } from './ip-address-form.js';

const v4 = new RegExp(`^${IPV4_FORM}$`);
const v6 = new RegExp(`^${IPV6_FORM}$`);

describe('The form of an address', () => {
  it('is that of every IPv4 address, and of nothing else', () => {
    const parts = fc.array(fc.constantFrom('0', '7', '42', '199', '255', '256', '01', '', 'a'), {
      minLength: 3,
      maxLength: 5,
    });
    fc.assert(fc.property(fc.ipV4(), (text) => v4.test(text)));
    fc.assert(fc.property(parts, (each) => v4.test(each.join('.')) === isIPv4(each.join('.'))));
  });

  it('is that of every IPv6 address in groups, and of nothing else', () => {
    const parts = fc.array(fc.constantFrom('0', '2001', 'dB8', 'ffff', '', '', '12345', 'g'), {
      minLength: 1,
      maxLength: 10,
    });
    fc.assert(
      fc.property(parts, (each) => v6.test(each.join(':')) === isIPv6(each.join(':'))),
      { numRuns: 2000 },
    );
  });

  it.each([
    '::',
    '::1',
    '1::',
    '2001:db8::1',
    '1:2:3:4:5:6:7:8',
    '1:2:3:4:5:6:7::',
    '::2:3:4:5:6:7:8',
    '::ffff:192.0.2.7',
  ])('is that of %s', (text) => expect([v6.test(text), isIPv6(text)]).toEqual([true, true]));
});

import { describe, expect, it } from '@jest/globals';
import { AddressList } from './address-list.js';

describe('AddressList', () => {
  it.each([
    ['192.0.2.0/24', '192.0.2.7', true],
    ['192.0.2.0/24', '192.0.3.7', false],
    ['192.0.2.7', '192.0.2.7', true],
    ['192.0.2.7', '192.0.2.8', false],
    ['2001:db8::/32', '2001:db8:1::1', true],
    ['2001:db8::/32', '2001:db9::1', false],
    ['192.0.2.0/24', '::ffff:192.0.2.7', true],
    ['192.0.2.0/24', '::ffff:c000:207', true],
    ['192.0.2.0/24', '::ffff:192.0.3.7', false],
    ['::ffff:192.0.2.0/120', '192.0.2.7', true],
    ['::/0', '192.0.2.7', false],
    ['0.0.0.0/0', '2001:db8::1', false],
    ['192.0.2.0/24', 'not an address', false],
    ['192.0.2.0/24', '0300.0.2.7', false],
    ['192.0.2.0/24', '192.0.519', false],
  ])('%s and %s: %s', (range, address, included) => {
    expect(AddressList.parse([range]).includes(address)).toBe(included);
  });

  it.each(['', '192.0.2.0/33', '192.0.2', '0x7f.1', '2001:db8::/129', 'example.com', '192.0.2.0/'])(
    'refuses "%s" by name',
    (entry) => {
      expect(() => AddressList.parse([entry])).toThrow(RangeError);
    },
  );
});

import { describe, expect, it } from '@jest/globals';
import { addressSubject, networkOf } from './subject.js';

describe('the subject of an address', () => {
  it.each([
    ['192.0.2.1', 'ip:192.0.2.1'],
    ['::ffff:192.0.2.1', 'ip:192.0.2.1'],
    ['2001:db8:1:2:3:4:5:6', 'ip:2001:db8:1:2::'],
    ['2001:0DB8:0001:0002::', 'ip:2001:db8:1:2::'],
    ['::1', 'ip:::'],
    ['fe80::1%eth0', 'ip:fe80::'],
    ['not:an:address', 'ip:unknown'],
  ])('of %s is %s', (ip, subject) => {
    expect(addressSubject(ip)).toBe(subject);
    expect(addressSubject(ip)).toBe(subject);
  });

  it('stays right however many addresses were seen', () => {
    for (let host = 0; host < 25_000; host++) {
      expect(networkOf(`2001:db8::${host.toString(16)}`)).toBe('2001:db8::');
    }
  });
});

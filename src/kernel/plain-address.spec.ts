import { describe, expect, it } from '@jest/globals';
import { plainAddress, plainRange } from './plain-address.js';

describe('an address in its plain form', () => {
  it.each([
    ['192.0.2.7', '192.0.2.7'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['2001:DB8:0:0::1', '2001:db8::1'],
    ['fe80::1%eth0', 'fe80::1'],
  ])('of %s is %s', (text, plain) => {
    expect(plainAddress(text)).toBe(plain);
  });

  it.each(['', '192.0.2', '0300.0.2.7', '192.0.2.0/24', 'localhost', '%'])('is none of %p', (text) => {
    expect(plainAddress(text)).toBeUndefined();
  });
});

describe('a range in its plain form', () => {
  it.each([
    ['192.0.2.7', '192.0.2.7'],
    ['192.0.2.7/24', '192.0.2.7/24'],
    ['::ffff:192.0.2.0/120', '192.0.2.0/24'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['2001:DB8:0::/48', '2001:db8::/48'],
  ])('of %s is %s', (text, plain) => {
    expect(plainRange(text)).toBe(plain);
  });

  it.each(['', '192.0.2', '192.0.2.0/33', '2001:db8::/129', 'fe80::1%eth0', 'fe80::%eth0/64', '010.0.0.1'])(
    'is none of %p',
    (text) => {
      expect(() => plainRange(text)).toThrow(RangeError);
    },
  );
});

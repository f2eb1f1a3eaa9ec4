import { describe, expect, it } from '@jest/globals';
import { plainAddress } from './plain-address.js';

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

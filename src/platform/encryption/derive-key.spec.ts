import { describe, expect, it } from '@jest/globals';
import { deriveKey } from './derive-key.js';

const encryptionKey = Buffer.from('000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f', 'hex');

const hex = (key: Uint8Array) => Buffer.from(key).toString('hex');

describe('deriveKey', () => {
  // Made with: openssl kdf -keylen 32 -kdfopt digest:SHA256 -kdfopt hexkey:$KEY -kdfopt info:holdfast/secret-box/v1 HKDF
  it('gives the key it always gave: what is sealed stays readable', () => {
    expect(hex(deriveKey(encryptionKey, 'holdfast/secret-box/v1'))).toBe(
      '7ca4446105fa75dab9c5a8410f4d56643cd9d463bfa7f3d5d8f919783c30fae4',
    );
  });

  it('gives another key for another label, and for another secret', () => {
    const label = 'holdfast/email-hash/v1';
    const keys = [
      deriveKey(encryptionKey, label),
      deriveKey(encryptionKey, 'holdfast/email-hash/v2'),
      deriveKey(Buffer.alloc(32), label),
    ];
    expect(new Set(keys.map(hex)).size).toBe(3);
  });
});

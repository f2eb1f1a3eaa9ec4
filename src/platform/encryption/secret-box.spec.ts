import fc from 'fast-check';
import { createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { SecretBox } from './secret-box.js';
import { SecretUnreadableError } from './secret-unreadable.error.js';

const box = new SecretBox(randomBytes(32));
const ROW = 'webhook_secrets:1';

describe('SecretBox', () => {
  it('gives back every text it sealed', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.string(), (text, aad) => {
        expect(box.open(box.seal(text, aad), aad)).toBe(text);
      }),
    );
  });

  it('seals the same text differently each time and never shows it', () => {
    const [one, other] = [box.seal('whsec_topsecret', ROW), box.seal('whsec_topsecret', ROW)];
    expect(one.equals(other)).toBe(false);
    expect(one.includes('topsecret')).toBe(false);
  });

  it('writes version, nonce, ciphertext and tag, readable by any AES-GCM with the derived key', () => {
    const encryptionKey = randomBytes(32);
    const sealed = new SecretBox(encryptionKey).seal('hello', ROW);
    const key = new Uint8Array(hkdfSync('sha256', encryptionKey, '', 'holdfast/secret-box/v1', 32));
    const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(1, 13));
    decipher.setAAD(Buffer.from(`\u0001${ROW}`)).setAuthTag(sealed.subarray(-16));
    expect(sealed[0]).toBe(1);
    expect(decipher.update(sealed.subarray(13, -16), undefined, 'utf8') + decipher.final('utf8')).toBe('hello');
  });

  it('refuses an envelope with any one bit changed', () => {
    const sealed = box.seal('whsec_topsecret', ROW);
    fc.assert(
      fc.property(fc.nat(sealed.length - 1), fc.nat(7), (at, bit) => {
        const tampered = Buffer.from(sealed);
        tampered[at]! ^= 1 << bit;
        expect(() => box.open(tampered, ROW)).toThrow(SecretUnreadableError);
      }),
    );
  });

  it('refuses an envelope cut off anywhere, down to nothing', () => {
    const sealed = box.seal('whsec_topsecret', ROW);
    for (let length = 0; length < sealed.length; length++) {
      expect(() => box.open(sealed.subarray(0, length), ROW)).toThrow(SecretUnreadableError);
    }
  });

  it('refuses an envelope moved to another row', () => {
    expect(() => box.open(box.seal('whsec_topsecret', ROW), 'webhook_secrets:2')).toThrow(SecretUnreadableError);
  });

  it('names ENCRYPTION_KEY when the key is another one', () => {
    const other = new SecretBox(randomBytes(32));
    expect(() => other.open(box.seal('whsec_topsecret', ROW), ROW)).toThrow(
      /webhook_secrets:1.*ENCRYPTION_KEY differs from the one it was written with/,
    );
  });

  it('takes 32 bytes of key and nothing else', () => {
    expect(() => new SecretBox(randomBytes(16))).toThrow('32 bytes');
  });
});

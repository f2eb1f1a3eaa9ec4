import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DIGEST_BYTES, type DigestAlgorithm, hmac } from './signature.js';

const ALGORITHMS = Object.keys(DIGEST_BYTES) as DigestAlgorithm[];

describe('hmac', () => {
  it.each(ALGORITHMS)(
    'is what OpenSSL computes with %s, for keys of any length and a text in any parts',
    (algorithm) => {
      const part = fc.oneof(
        fc.string({ unit: 'grapheme' }),
        fc.uint8Array().map((bytes) => Buffer.from(bytes)),
      );
      // Empty, within a block, as long as one (64 or 128 bytes), and longer.
      const key = fc.oneof(
        part,
        fc.uint8Array({ minLength: 60, maxLength: 140 }).map((bytes) => Buffer.from(bytes)),
      );
      fc.assert(
        fc.property(key, fc.array(part, { maxLength: 4 }), (secret, parts) => {
          const reference = createHmac(algorithm, secret);
          for (const each of parts) reference.update(each);
          expect(hmac(algorithm, secret, ...parts)).toEqual(reference.digest());
        }),
        { numRuns: 500 },
      );
    },
  );

  it.each([63, 64, 65, 127, 128, 129])('takes a key of %i bytes', (length) => {
    const key = Buffer.alloc(length, 7);
    for (const algorithm of ALGORITHMS) {
      expect(hmac(algorithm, key, 'text')).toEqual(createHmac(algorithm, key).update('text').digest());
    }
  });
});

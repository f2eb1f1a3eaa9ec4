import { canonicalJson } from '../../../kernel/canonical-json.js';

/**
 * A key that signed checkpoints before `ENCRYPTION_KEY` was rotated, and the last of them. The key that came after it signs
 * this: so the log up to there rests on the present key, and who holds the former one can change nothing in it any more.
 */
export interface UnsignedFormerKey {
  keyId: string;
  /** DER, SubjectPublicKeyInfo (RFC 8410). */
  publicKey: Buffer;
  /** The last line under a checkpoint of this key, and its hash, which through the chain stands for every line before. */
  lastSequence: number;
  lastHash: Buffer;
}

export interface FormerKey extends UnsignedFormerKey {
  /** Names the key that came after it. */
  vouchedBy: string;
  /** Ed25519 by that, over `formerKeyText`. */
  signature: Buffer;
}

export function formerKeyText({ keyId, publicKey, lastSequence, lastHash }: UnsignedFormerKey): string {
  return canonicalJson({
    v: 1,
    purpose: 'former-key',
    keyId,
    publicKey: publicKey.toString('hex'),
    lastSequence,
    lastHash: lastHash.toString('hex'),
  });
}

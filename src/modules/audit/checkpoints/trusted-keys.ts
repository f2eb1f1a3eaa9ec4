import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import { type Checkpoint, checkpointText } from './checkpoint.js';
import type { CheckpointSigner, SignatureState } from './checkpoint-signer.js';
import { type FormerKey, formerKeyText } from './former-key.js';

interface Trusted {
  readonly key: KeyObject;
  /** Absent for the key of today. */
  readonly until?: { readonly sequence: number; readonly hash: Buffer };
}

/** The key of today, and every one before it that the one after it vouches for. */
export class TrustedKeys {
  private readonly trusted = new Map<string, Trusted>();

  constructor(signer: Pick<CheckpointSigner, 'keyId' | 'publicKey'>, formerKeys: readonly FormerKey[]) {
    this.trusted.set(signer.keyId, { key: signer.publicKey });
    // Of a key that was in use twice the later time counts.
    const newestFirst = formerKeys.toSorted((one, other) => other.lastSequence - one.lastSequence);
    // Until nobody is vouched for any more by those who are trusted.
    while (newestFirst.some((former) => this.trust(former)));
  }

  /** How a checkpoint's signature stands to these keys. */
  stateOf(checkpoint: Checkpoint): SignatureState {
    const trusted = this.trusted.get(checkpoint.keyId);
    if (!trusted) return 'of another key';
    const { key, until } = trusted;
    // From then on the key was out of use; whoever has it can sign with it all the same.
    if (until && checkpoint.sequence > until.sequence) return 'of another key';
    if (until?.sequence === checkpoint.sequence && !until.hash.equals(checkpoint.lastHash)) return 'invalid';
    return verify(null, Buffer.from(checkpointText(checkpoint)), key, checkpoint.signature) ? 'valid' : 'invalid';
  }

  /** @returns whether it is trusted now and was not before */
  private trust(former: FormerKey): boolean {
    const { keyId, publicKey, lastSequence: sequence, lastHash: hash, vouchedBy, signature } = former;
    const voucher = this.trusted.get(vouchedBy)?.key;
    if (this.trusted.has(keyId) || !voucher) return false;
    if (!verify(null, Buffer.from(formerKeyText(former)), voucher, signature)) return false;
    this.trusted.set(keyId, {
      key: createPublicKey({ key: publicKey, format: 'der', type: 'spki' }),
      until: { sequence, hash },
    });
    return true;
  }
}

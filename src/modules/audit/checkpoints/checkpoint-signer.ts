import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '../../../config/index.js';
import { deriveKey } from '../../../platform/encryption/index.js';
import { type Checkpoint, checkpointText, type UnsignedCheckpoint } from './checkpoint.js';
import { type FormerKey, formerKeyText } from './former-key.js';

const KEY_LABEL = 'holdfast/audit-checkpoint/ed25519/v1';

/** The DER of a PKCS #8 Ed25519 private key up to its 32 bytes (RFC 8410, section 7). */
const PKCS8_ED25519 = Buffer.from('302e020100300506032b657004220420', 'hex');

/** How a checkpoint's signature stands to our keys. */
export type SignatureState = 'valid' | 'invalid' | 'of another key';

/**
 * Signs checkpoints with an Ed25519 key derived from ENCRYPTION_KEY (HKDF-SHA256), so that whoever can write to the
 * database alone cannot forge one. `TrustedKeys` says what signatures are worth.
 */
@Injectable()
export class CheckpointSigner {
  private readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  readonly keyId: string;

  constructor(@Inject(CONFIG) config: Pick<Config, 'encryptionKey'>) {
    const seed = deriveKey(config.encryptionKey, KEY_LABEL);
    this.privateKey = createPrivateKey({ key: Buffer.concat([PKCS8_ED25519, seed]), format: 'der', type: 'pkcs8' });
    this.publicKey = createPublicKey(this.privateKey);
    this.keyId = createHash('sha256').update(this.spki).digest('hex').slice(0, 16);
  }

  sign(checkpoint: UnsignedCheckpoint): Checkpoint {
    return {
      ...checkpoint,
      keyId: this.keyId,
      signature: sign(null, Buffer.from(checkpointText(checkpoint)), this.privateKey),
    };
  }

  /** @param last the newest checkpoint that the former key has signed */
  vouchFor(former: CheckpointSigner, last: Checkpoint): FormerKey {
    const unsigned = {
      keyId: former.keyId,
      publicKey: former.spki,
      lastSequence: last.sequence,
      lastHash: last.lastHash,
    };
    const signature = sign(null, Buffer.from(formerKeyText(unsigned)), this.privateKey);
    return { ...unsigned, vouchedBy: this.keyId, signature };
  }

  private get spki(): Buffer {
    return this.publicKey.export({ format: 'der', type: 'spki' });
  }
}

import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '../../../config/index.js';
import { deriveKey } from '../../../platform/encryption/index.js';
import { type Checkpoint, checkpointText, type UnsignedCheckpoint } from './checkpoint.js';

const KEY_LABEL = 'holdfast/audit-checkpoint/ed25519/v1';

/** The DER of a PKCS #8 Ed25519 private key up to its 32 bytes (RFC 8410, section 7). */
const PKCS8_ED25519 = Buffer.from('302e020100300506032b657004220420', 'hex');

/** How a checkpoint's signature stands to our key. */
export type SignatureState = 'valid' | 'invalid' | 'of another key';

/**
 * Signs checkpoints with an Ed25519 key derived from ENCRYPTION_KEY (HKDF-SHA256), so that whoever can write to the
 * database alone cannot forge one. After the key is changed older checkpoints count as signed by another key.
 */
@Injectable()
export class CheckpointSigner {
  private readonly privateKey: KeyObject;
  private readonly publicKey: KeyObject;
  private readonly keyId: string;

  constructor(@Inject(CONFIG) config: Pick<Config, 'encryptionKey'>) {
    const seed = deriveKey(config.encryptionKey, KEY_LABEL);
    this.privateKey = createPrivateKey({ key: Buffer.concat([PKCS8_ED25519, seed]), format: 'der', type: 'pkcs8' });
    this.publicKey = createPublicKey(this.privateKey);
    const spki = this.publicKey.export({ format: 'der', type: 'spki' });
    this.keyId = createHash('sha256').update(spki).digest('hex').slice(0, 16);
  }

  sign(checkpoint: UnsignedCheckpoint): Checkpoint {
    return {
      ...checkpoint,
      keyId: this.keyId,
      signature: sign(null, Buffer.from(checkpointText(checkpoint)), this.privateKey),
    };
  }

  stateOf(checkpoint: Checkpoint): SignatureState {
    if (checkpoint.keyId !== this.keyId) return 'of another key';
    const text = Buffer.from(checkpointText(checkpoint));
    return verify(null, text, this.publicKey, checkpoint.signature) ? 'valid' : 'invalid';
  }
}

import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { deriveKey } from './derive-key.js';
import { SecretUnreadableError } from './secret-unreadable.error.js';

const ALGORITHM = 'aes-256-gcm';
const VERSION = 1;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const HEADER_BYTES = 1 + NONCE_BYTES;
/** Separates this use of ENCRYPTION_KEY from any other: a key derived under another label has nothing in common. */
const LABEL = 'holdfast/secret-box/v1';

/**
 * Seals secrets for storage: AES-256-GCM under a key derived from `ENCRYPTION_KEY` (HKDF-SHA-256, RFC 5869).
 *
 * Envelope, in bytes: version (1) · nonce (12) · ciphertext · tag (16). Nonces are random, which NIST SP 800-38D
 * (section 8.3) allows for 2^32 secrets under one key.
 */
export class SecretBox {
  private readonly key: Uint8Array;

  /** @param encryptionKey 32 bytes */
  constructor(encryptionKey: Buffer) {
    if (encryptionKey.length !== 32) {
      throw new RangeError(`The encryption key must have 32 bytes, it has ${encryptionKey.length}.`);
    }
    this.key = deriveKey(encryptionKey, LABEL);
  }

  /**
   * @param aad names the one place the secret belongs to, for example `webhook_source_secrets:<id>`; it is not stored, and
   *   the same text is needed to open the envelope, so a ciphertext copied to another row cannot be read there
   */
  seal(plaintext: string, aad: string): Buffer {
    const nonce = randomBytes(NONCE_BYTES);
    const header = Buffer.from([VERSION, ...nonce]);
    const cipher = createCipheriv(ALGORITHM, this.key, nonce, { authTagLength: TAG_BYTES });
    cipher.setAAD(additionalData(VERSION, aad));
    return Buffer.concat([header, cipher.update(plaintext, 'utf8'), cipher.final(), cipher.getAuthTag()]);
  }

  /**
   * @param aad as it was given to `seal`
   * @throws SecretUnreadableError when the key is another one, or the envelope was altered, cut off or moved
   */
  open(sealed: Buffer, aad: string): string {
    const version = sealed[0];
    if (version !== VERSION || sealed.length < HEADER_BYTES + TAG_BYTES) throw SecretUnreadableError.malformed(aad);
    const tagAt = sealed.length - TAG_BYTES;
    const decipher = createDecipheriv(ALGORITHM, this.key, sealed.subarray(1, HEADER_BYTES), {
      authTagLength: TAG_BYTES,
    });
    decipher.setAAD(additionalData(version, aad));
    decipher.setAuthTag(sealed.subarray(tagAt));
    const plaintext = decipher.update(sealed.subarray(HEADER_BYTES, tagAt));
    try {
      return Buffer.concat([plaintext, decipher.final()]).toString('utf8');
    } catch (cause) {
      throw SecretUnreadableError.wrongKey(aad, cause);
    }
  }

  /** Like `open`; undefined for what cannot be read. */
  tryOpen(sealed: Buffer, aad: string): string | undefined {
    try {
      return this.open(sealed, aad);
    } catch (error) {
      if (error instanceof SecretUnreadableError) return undefined;
      throw error;
    }
  }
}

/** The version byte is authenticated too, so that an envelope cannot be passed off as one of another version. */
function additionalData(version: number, aad: string): Buffer {
  return Buffer.concat([Buffer.from([version]), Buffer.from(aad, 'utf8')]);
}

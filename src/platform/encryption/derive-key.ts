import { hkdfSync } from 'node:crypto';

/**
 * A key for one use of `ENCRYPTION_KEY`: HKDF-SHA-256 (RFC 5869). Keys under different labels have nothing in common.
 *
 * @param encryptionKey 32 bytes
 * @param label names the use and its version, for example `holdfast/secret-box/v1`; another label is another key
 * @returns 32 bytes
 */
export function deriveKey(encryptionKey: Buffer, label: string): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', encryptionKey, '', label, 32));
}

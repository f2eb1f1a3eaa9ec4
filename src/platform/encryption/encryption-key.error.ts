import { join } from 'node:path';
import type { Config } from '../../config/index.js';
import { shownFingerprint } from './key-fingerprint.js';

/**
 * This database is used with another `ENCRYPTION_KEY`. Nothing may be done with it under ours: what cannot be read would be
 * taken for lost, and what is written could not be read by the others. One line for the operator, on how to mend it.
 */
export class EncryptionKeyError extends Error {
  override readonly name = 'EncryptionKeyError';

  static another(config: KeyConfig, known: Buffer, ours: Buffer): EncryptionKeyError {
    const [one, other] = [shownFingerprint(known), shownFingerprint(ours)];
    return new EncryptionKeyError(
      `${nameOf(config)} is not the one this database is used with (fingerprint ${one}, not ${other}). Start with that one; ` +
        'to change it, stop all servers and run: npx holdfast encryption rotate',
    );
  }

  static opensNothing(config: KeyConfig): EncryptionKeyError {
    return new EncryptionKeyError(
      `${nameOf(config)} opens nothing of what is sealed in this database: it was written with another one. Start with that ` +
        'one; if it is lost, run: npx holdfast encryption rotate --lost',
    );
  }
}

export type KeyConfig = Pick<Config, 'encryptionKey' | 'ENCRYPTION_KEY' | 'dataDir'>;

/** Outside production nobody need have given one. */
function nameOf({ ENCRYPTION_KEY, dataDir }: KeyConfig): string {
  return ENCRYPTION_KEY === undefined
    ? `The ENCRYPTION_KEY kept in ${join(dataDir, 'encryption.key')}`
    : 'ENCRYPTION_KEY';
}

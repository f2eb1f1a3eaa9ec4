import { SecretFingerprint } from './secret-fingerprint.entity.js';

export { deriveKey } from './derive-key.js';
export { EmailHash } from './email-hash.js';
export { EncryptionKeyError } from './encryption-key.error.js';
export { EncryptionModule } from './encryption.module.js';
export { keyFingerprint, shownFingerprint } from './key-fingerprint.js';
export { establishKey, knownFingerprint, noteJwtSecret, replaceKnownKey, requireKnownKey } from './known-keys.js';
export { opensAny, reseal, type Resealed, type SealedColumn, sealedPlace } from './sealed-column.js';
export { SecretBox } from './secret-box.js';
export { SecretUnreadableError } from './secret-unreadable.error.js';

/** For the data source. */
export const ENCRYPTION_ENTITIES = [SecretFingerprint];

export { deriveKey } from './derive-key.js';
export { EmailHash } from './email-hash.js';
export { EncryptionModule } from './encryption.module.js';
export { SecretBox } from './secret-box.js';
export { SecretUnreadableError } from './secret-unreadable.error.js';

import { type SealedColumn, sealedPlace } from '../../../platform/encryption/index.js';

export const SOURCE_SECRETS: SealedColumn = { table: 'webhook_source_secrets', column: 'sealed' };

/** What a sealed signing secret is bound to: a ciphertext copied to another row opens nowhere. */
export function secretPlace(id: string): string {
  return sealedPlace(SOURCE_SECRETS, id);
}

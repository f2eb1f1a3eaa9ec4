import { API_KEY_ENTITIES } from './modules/api-keys/index.js';
import { AUDIT_ENTITIES } from './modules/audit/index.js';
import { WEBHOOK_ENTITIES } from './modules/webhooks/index.js';

/** Every table TypeORM knows: what `migration:check` compares the migrated schema with. */
export const ENTITIES = [...API_KEY_ENTITIES, ...AUDIT_ENTITIES, ...WEBHOOK_ENTITIES];

import { MIGRATIONS } from './migrations/index.js';
import { API_KEY_ENTITIES } from './modules/api-keys/index.js';
import { AUDIT_ENTITIES } from './modules/audit/index.js';
import { WEBHOOK_ENTITIES } from './modules/webhooks/index.js';
import type { Schema } from './platform/database/index.js';

/** Every table TypeORM knows and how it came to be: `migration:check` compares the two. */
export const SCHEMA: Schema = {
  entities: [...API_KEY_ENTITIES, ...AUDIT_ENTITIES, ...WEBHOOK_ENTITIES],
  migrations: MIGRATIONS,
};

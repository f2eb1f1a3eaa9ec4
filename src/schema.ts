import { MIGRATIONS } from '../migrations/index.js';
import { ACCOUNT_ENTITIES } from './modules/accounts/index.js';
import { API_KEY_ENTITIES } from './modules/api-keys/index.js';
import { AUDIT_ENTITIES } from './modules/audit/index.js';
import { EMAIL_LIMIT_ENTITIES } from './modules/email-limits/index.js';
import { FORM_ENTITIES } from './modules/forms/index.js';
import { LEDGER_ENTITIES } from './modules/ledger/index.js';
import { PAYMENT_ENTITIES } from './modules/payments/index.js';
import { WEBHOOK_ENTITIES, WEBHOOK_SEALED_COLUMNS } from './modules/webhooks/index.js';
import { ENCRYPTION_ENTITIES, type SealedColumn } from './platform/encryption/index.js';
import { IDEMPOTENCY_ENTITIES } from './platform/idempotency/index.js';
import { JOB_ENTITIES, JOB_SEALED_COLUMNS } from './platform/jobs/index.js';
import { LOCK_ENTITIES } from './platform/locks/index.js';
import { RATE_LIMIT_ENTITIES } from './platform/rate-limit/index.js';
import type { Schema } from './platform/database/index.js';

/** Every table TypeORM knows and how it came to be: `migration:check` compares the two. */
export const SCHEMA: Schema = {
  entities: [
    ...ACCOUNT_ENTITIES,
    ...API_KEY_ENTITIES,
    ...AUDIT_ENTITIES,
    ...ENCRYPTION_ENTITIES,
    ...IDEMPOTENCY_ENTITIES,
    ...JOB_ENTITIES,
    ...LOCK_ENTITIES,
    ...RATE_LIMIT_ENTITIES,
    ...EMAIL_LIMIT_ENTITIES,
    ...LEDGER_ENTITIES,
    ...WEBHOOK_ENTITIES,
    ...PAYMENT_ENTITIES,
    ...FORM_ENTITIES,
  ],
  migrations: MIGRATIONS,
};

/** Everything that is sealed under `ENCRYPTION_KEY`: what a rotation seals anew. */
export const SEALED_COLUMNS: readonly SealedColumn[] = [...WEBHOOK_SEALED_COLUMNS, ...JOB_SEALED_COLUMNS];

import { CreateAuditLog1795248000000 } from './1795248000000-CreateAuditLog.js';
import { CreateApiKeys1795248001000 } from './1795248001000-CreateApiKeys.js';
import { CreateWebhooks1795248002000 } from './1795248002000-CreateWebhooks.js';

/** In the order they run. A migration that has run anywhere is never changed again. */
export const MIGRATIONS = [CreateAuditLog1795248000000, CreateApiKeys1795248001000, CreateWebhooks1795248002000];

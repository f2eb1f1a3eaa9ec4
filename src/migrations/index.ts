import { CreateAuditLog1795248000000 } from './1795248000000-CreateAuditLog.js';
import { CreateApiKeys1795248001000 } from './1795248001000-CreateApiKeys.js';
import { CreateWebhooks1795248002000 } from './1795248002000-CreateWebhooks.js';
import { CreateIdempotency1795248003000 } from './1795248003000-CreateIdempotency.js';
import { CreateLocks1795248004000 } from './1795248004000-CreateLocks.js';
import { CreateRateLimits1795248005000 } from './1795248005000-CreateRateLimits.js';
import { CreateLedger1795248006000 } from './1795248006000-CreateLedger.js';

/** In the order they run. A migration that has run anywhere is never changed again. */
export const MIGRATIONS = [
  CreateAuditLog1795248000000,
  CreateApiKeys1795248001000,
  CreateWebhooks1795248002000,
  CreateIdempotency1795248003000,
  CreateLocks1795248004000,
  CreateRateLimits1795248005000,
  CreateLedger1795248006000,
];

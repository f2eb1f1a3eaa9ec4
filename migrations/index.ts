import { CreateAuditLog1795248000000 } from './1795248000000-CreateAuditLog.js';
import { CreateApiKeys1795248001000 } from './1795248001000-CreateApiKeys.js';
import { CreateWebhooks1795248002000 } from './1795248002000-CreateWebhooks.js';
import { CreateIdempotency1795248003000 } from './1795248003000-CreateIdempotency.js';
import { CreateLocks1795248004000 } from './1795248004000-CreateLocks.js';
import { CreateRateLimits1795248005000 } from './1795248005000-CreateRateLimits.js';
import { CreateLedger1795248006000 } from './1795248006000-CreateLedger.js';
import { CreateJobs1795248007000 } from './1795248007000-CreateJobs.js';
import { CreateEmailLimits1795248008000 } from './1795248008000-CreateEmailLimits.js';
import { CreateUsers1795248009000 } from './1795248009000-CreateUsers.js';
import { AddApiKeyMaker1795248010000 } from './1795248010000-AddApiKeyMaker.js';
import { ComputeRawPayload1795248011000 } from './1795248011000-ComputeRawPayload.js';
import { AddTypePlaces1795248012000 } from './1795248012000-AddTypePlaces.js';
import { MakeIdempotencyKeysUnique1795248012500 } from './1795248012500-MakeIdempotencyKeysUnique.js';
import { AddSourceBodyLimit1795248013000 } from './1795248013000-AddSourceBodyLimit.js';
import { IndexActiveHolds1795248015000 } from './1795248015000-IndexActiveHolds.js';
import { KnowKeys1795248016000 } from './1795248016000-KnowKeys.js';
import { CreatePayments1795248017000 } from './1795248017000-CreatePayments.js';
import { AddDebtAccounts1795248018000 } from './1795248018000-AddDebtAccounts.js';
import { AddDisputes1795248019000 } from './1795248019000-AddDisputes.js';
import { AddFraudRules1795248020000 } from './1795248020000-AddFraudRules.js';
import { CreateReconciliations1795248021000 } from './1795248021000-CreateReconciliations.js';
import { AddDisputesRule1795248021500 } from './1795248021500-AddDisputesRule.js';
import { AddPaymentAnalytics1795248022000 } from './1795248022000-AddPaymentAnalytics.js';
import { AddForms1795248024000 } from './1795248024000-AddForms.js';

/** In the order they run. A migration that has run anywhere is never changed again. */
export const MIGRATIONS = [
  CreateAuditLog1795248000000,
  CreateApiKeys1795248001000,
  CreateWebhooks1795248002000,
  CreateIdempotency1795248003000,
  CreateLocks1795248004000,
  CreateRateLimits1795248005000,
  CreateLedger1795248006000,
  CreateJobs1795248007000,
  CreateEmailLimits1795248008000,
  CreateUsers1795248009000,
  AddApiKeyMaker1795248010000,
  ComputeRawPayload1795248011000,
  AddTypePlaces1795248012000,
  MakeIdempotencyKeysUnique1795248012500,
  AddSourceBodyLimit1795248013000,
  IndexActiveHolds1795248015000,
  KnowKeys1795248016000,
  CreatePayments1795248017000,
  AddDebtAccounts1795248018000,
  AddDisputes1795248019000,
  AddFraudRules1795248020000,
  CreateReconciliations1795248021000,
  AddDisputesRule1795248021500,
  AddPaymentAnalytics1795248022000,
  AddForms1795248024000,
];

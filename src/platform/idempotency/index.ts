import { IdempotencyRecord } from './idempotency-record.entity.js';
import { IdempotencyStatistic } from './idempotency-statistic.entity.js';

export type { AnswerContent, IdempotencyClaim, IdempotentAnswer, KnownClaim, StoredAnswer } from './claim.js';
export { Claim } from './claim.decorator.js';
export { IdempotencyGuard } from './idempotency.guard.js';
export { IdempotencyModule } from './idempotency.module.js';
export { ClaimTakenMeanwhileError, IdempotencyRecords } from './idempotency-records.js';
export {
  IdempotencyKeyInUseError,
  IdempotencyKeyInvalidError,
  IdempotencyKeyRequiredError,
  IdempotencyKeyReusedError,
} from './idempotency.errors.js';
export { Idempotent } from './idempotent.decorator.js';
export type { IdempotentOptions } from './idempotent-route.js';
export type { RequestIdempotency } from './request-idempotency.js';

export const IDEMPOTENCY_ENTITIES = [IdempotencyRecord, IdempotencyStatistic];

import { IdempotencyRecord } from './idempotency-record.entity.js';
import { IdempotencyStatistic } from './idempotency-statistic.entity.js';

export { AlreadyAnsweredError, whyNot } from './already-answered.error.js';
export type { AnswerContent, IdempotencyClaim, KnownClaim } from './claim.js';
export { Claim } from './claim.decorator.js';
export { IdempotencyGuard } from './idempotency.guard.js';
export { IdempotencyModule } from './idempotency.module.js';
export { ClaimTakenMeanwhileError, IdempotencyRecords } from './idempotency-records.js';
export { Idempotent } from './idempotent.decorator.js';
export { IdempotencyKeyReusedError } from './idempotency.errors.js';
export { IdempotentTransactor } from './idempotent-transactor.js';
export { type IdempotentOptions, IdempotentRoutes } from './idempotent-route.js';
export { KEY_PATTERN } from './key-header.js';
export { isKept } from './refusal.js';
export type { RequestClaim } from './request-claim.js';

export const IDEMPOTENCY_ENTITIES = [IdempotencyRecord, IdempotencyStatistic];

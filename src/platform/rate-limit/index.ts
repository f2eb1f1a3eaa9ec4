import { RateLimitOverride } from './overrides/rate-limit-override.entity.js';
import { RateLimitCounter } from './rate-limit-counter.entity.js';

export { answerLimits, LIMITS } from './adapters/supervisor-rate-limit-store.js';
export { type Attempt, AttemptLimiter } from './attempt-limiter.js';
export { FailedAuthentications } from './failed-authentications.js';
export { PublicReadLimit } from './public-read-limit.js';
export { EVERYONE, RateLimitOverrides } from './overrides/rate-limit-overrides.js';
export { RateLimitOverridesRepository } from './overrides/rate-limit-overrides.repository.js';
export { RateLimitGuard } from './rate-limit.guard.js';
export { RateLimitModule } from './rate-limit.module.js';
export { rateLimitFields } from './rate-limit-headers.js';
export { RateLimiter, type RuleUse } from './rate-limiter.js';
export { RateLimitedError } from './rate-limited.error.js';
export { type RouteRules, routeRules } from './route-rules.js';
export { type RepeatClaim, RepeatLookup } from './repeat-lookup.js';
export { addressSubject, networkOf } from './subject.js';
export { SkipThrottle, Throttle } from './throttle.decorator.js';

export type { RateLimitOverride };

/** For the data source. */
export const RATE_LIMIT_ENTITIES = [RateLimitOverride, RateLimitCounter];

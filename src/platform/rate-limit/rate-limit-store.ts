import type { RateDecision, RateLimit } from './sliding-window.js';

/**
 * Port: decides and counts one request of `key` in one atomic step. A refused request is not counted. Adapters:
 * memory (one process) and Redis (all replicas); both pass `rate-limit-store.contract.ts`.
 */
export interface RateLimitStore {
  take(key: string, rule: RateLimit): RateDecision | Promise<RateDecision>;
}

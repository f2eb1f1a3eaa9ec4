import type { Decision } from './decision.js';
import type { Reading } from './reading.js';
import type { Tier } from './tier.js';

/**
 * Port: counts requests by subject, and within a subject by tier. Each call is one atomic step. Adapters: memory (one
 * process, answers at once), supervisor (its processes, by its clock), Redis and PostgreSQL (all replicas, by the
 * store's own clock). All pass `rate-limit-store.contract.ts`.
 */
export interface RateLimitStore {
  /** All tiers that are no shadow allow the request and it is counted in each, or it is counted in none. */
  take(subject: string, tiers: readonly Tier[]): Decision | Promise<Decision>;

  /** Gives one request back to each of these tiers. */
  refund(subject: string, tiers: readonly Tier[]): void | Promise<void>;

  /** How much is used, in the order of the tiers; counts nothing. */
  look(subject: string, tiers: readonly Tier[]): readonly Reading[] | Promise<readonly Reading[]>;
}

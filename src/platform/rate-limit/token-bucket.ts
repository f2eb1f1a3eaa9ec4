import type { Reading } from './reading.js';
import type { Tier } from './tier.js';

/** Milliseconds. Sums of fractions miss whole numbers by a hair; nobody is refused, nor told to wait longer, for that. */
export const ROUNDING_MS = 1e-3;

/** Milliseconds in which one token comes back. */
export const refillMs = ({ windowMs, limit }: Tier): number => windowMs / limit;

/**
 * A token bucket of `limit` tokens that is refilled evenly, `limit` in each window, kept as one number: when it will be
 * full again (the generic cell rate algorithm, ITU-T I.371).
 *
 * @param fullAt milliseconds of the clock of `now`
 */
export function readBucket(rule: Tier, fullAt: number, now: number): Reading {
  const clearMs = Math.max(0, fullAt - now);
  const refill = refillMs(rule);
  const waitMs = clearMs + refill - rule.windowMs;
  const used = Math.min(rule.limit, Math.ceil(Math.max(0, clearMs - ROUNDING_MS) / refill));
  return { used, waitMs: waitMs > ROUNDING_MS ? waitMs : 0, clearMs };
}

/** @returns the new `fullAt` */
export function chargeBucket(rule: Tier, fullAt: number, now: number): number {
  return Math.max(fullAt, now) + refillMs(rule);
}

export interface Backoff {
  /** Wait before the first retry. */
  baseMs: number;
  /** No wait is longer than this (before jitter). */
  capMs: number;
}

/** ±20 %: enough to spread a burst of failures, little enough to promise the schedule. */
const JITTER = 0.2;

/**
 * The wait before retry number `retry` (0 is the first): base · 2^retry, capped, ±20 % jitter.
 *
 * @returns milliseconds, a whole number
 */
export function backoffDelay(retry: number, { baseMs, capMs }: Backoff, random: () => number = Math.random): number {
  const exact = Math.min(capMs, baseMs * 2 ** retry);
  return Math.round(exact * (1 - JITTER + 2 * JITTER * random()));
}

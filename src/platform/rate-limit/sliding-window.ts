/** One rule: at most `limit` requests in any `windowMs`. */
export interface RateLimit {
  limit: number;
  windowMs: number;
}

export interface RateDecision {
  allowed: boolean;
  /** Requests left right now. */
  remaining: number;
  /** Milliseconds until one more request would be allowed (0 while some are left). */
  retryAfterMs: number;
  /** Milliseconds until the whole limit is free again if nothing more is sent; for a refused request, `retryAfterMs`. */
  resetMs: number;
}

/** What is remembered of a key: requests in the current fixed window and in the one before. */
export interface WindowCounts {
  current: number;
  previous: number;
}

/** Sums of fractions miss whole numbers by a hair; a request is not refused, nor told to wait a millisecond, for that. */
const ROUNDING = 1e-6;

/**
 * A sliding window from two fixed ones: the previous counts by the part of it that still lies within the last
 * `windowMs`. Two numbers a key instead of a log of requests; exact for steady senders, and a burst at a window's edge
 * cannot get more than `limit` through.
 *
 * @param elapsedMs since the current fixed window began
 */
export function decide({ limit, windowMs }: RateLimit, counts: WindowCounts, elapsedMs: number): RateDecision {
  const overlap = 1 - elapsedMs / windowMs;
  const used = counts.current + counts.previous * overlap;
  const allowed = used + 1 <= limit + ROUNDING;
  const remaining = Math.max(0, Math.floor(limit - used - (allowed ? 1 : 0)));
  if (allowed) return { allowed, remaining, retryAfterMs: 0, resetMs: Math.ceil(2 * windowMs - elapsedMs) };
  const retryAfterMs = untilFree(limit, windowMs, counts, elapsedMs);
  return { allowed, remaining, retryAfterMs, resetMs: retryAfterMs };
}

/** When `previous · overlap + current + 1` falls to `limit`: in this window, or after it has become the previous one. */
function untilFree(limit: number, windowMs: number, counts: WindowCounts, elapsedMs: number): number {
  const room = limit - 1 - counts.current;
  if (room >= 0 && counts.previous > 0) {
    return wholeMs(windowMs * (1 - room / counts.previous) - elapsedMs);
  }
  const intoNext = counts.current > 0 ? windowMs * (1 - Math.max(0, limit - 1) / counts.current) : 0;
  return wholeMs(windowMs - elapsedMs + intoNext);
}

function wholeMs(milliseconds: number): number {
  return Math.max(1, Math.ceil(milliseconds - ROUNDING / 10));
}

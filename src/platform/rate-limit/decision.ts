import type { Reading } from './reading.js';
import { refillMs, ROUNDING_MS } from './token-bucket.js';
import type { Tier } from './tier.js';

/** What becomes of a request. */
export interface Decision {
  readonly allowed: boolean;
  /**
   * The tier that the client is told about: of the refusing ones that with the longest wait, else the one with the
   * least left. Undefined when every tier is a shadow.
   */
  readonly tightest: Tier | undefined;
  /** Requests left of `tightest`. */
  readonly remaining: number;
  /** Milliseconds until the request would be allowed; 0 when it is. */
  readonly retryAfterMs: number;
  /** Milliseconds until the whole limit of `tightest` is free again; for a refused request, `retryAfterMs`. */
  readonly resetMs: number;
  /** The tiers the request was counted in: none when it is refused, all but shadows that are used up when it is not. */
  readonly charged: readonly Tier[];
  /** Those that have no room; with an allowed request only shadows. */
  readonly full: readonly Tier[];
}

const NONE: readonly Tier[] = Object.freeze([]);

/** All tiers allow, or the request is refused and counted in none. @param readings one for each tier, in their order */
export function decide(tiers: readonly Tier[], readings: readonly Reading[]): Decision {
  let tightest: Tier | undefined;
  let remaining = Infinity;
  let retryAfterMs = 0;
  let resetMs = 0;
  let full: Tier[] | undefined;
  for (let at = 0; at < tiers.length; at++) {
    const rule = tiers[at];
    const reading = readings[at];
    if (rule === undefined || reading === undefined) throw new RangeError('Each tier needs a reading');
    if (reading.waitMs > 0) (full ??= []).push(rule);
    if (rule.shadow) continue;
    const left = Math.max(0, rule.limit - reading.used - 1);
    if (reading.waitMs > retryAfterMs) {
      tightest = rule;
      remaining = 0;
      retryAfterMs = resetMs = reading.waitMs;
    } else if (retryAfterMs === 0 && left <= remaining) {
      tightest = rule;
      remaining = left;
      resetMs = rule.algorithm === 'token-bucket' ? reading.clearMs + refillMs(rule) : rule.windowMs;
    }
  }
  const allowed = retryAfterMs === 0;
  const charged = !allowed ? NONE : full === undefined ? tiers : tiers.filter((rule) => !full.includes(rule));
  return {
    allowed,
    tightest,
    remaining: tightest === undefined ? 0 : remaining,
    retryAfterMs: allowed ? 0 : wholeMs(retryAfterMs),
    resetMs: wholeMs(resetMs),
    charged,
    full: full ?? NONE,
  };
}

function wholeMs(milliseconds: number): number {
  return Math.max(1, Math.ceil(milliseconds - ROUNDING_MS));
}

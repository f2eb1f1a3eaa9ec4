import type { FastifyReply } from 'fastify';
import type { Decision } from './decision.js';
import { type LimitedTier, policyOf } from './tier.js';
import type { TierSet } from './tier-set.js';

/** As many seconds as different resets are asked for within one: those of the windows in use. */
const KEPT = 64;
const secondsKept = new Float64Array(KEPT);
const texts: string[] = [];

/** RFC 3339, rounded up to whole seconds: of all requests of a second only the first has to write it. */
export function wholeSecond(unixMs: number): string {
  const second = Math.ceil(unixMs / 1000);
  const at = second % KEPT;
  const known = texts[at];
  if (known !== undefined && secondsKept[at] === second) return known;
  secondsKept[at] = second;
  return (texts[at] = `${new Date(second * 1000).toISOString().slice(0, 19)}Z`);
}

/**
 * The fields that say where a caller stands: `X-RateLimit-*` of one tier, and `RateLimit-Policy` and `RateLimit` of
 * draft-ietf-httpapi-ratelimit-headers.
 *
 * @param now unix milliseconds
 * @param policy of everything that limits the caller, as `policyOf` writes it
 */
export function rateLimitFields(
  tier: LimitedTier,
  { remaining, resetMs, allowed }: Pick<Decision, 'remaining' | 'resetMs' | 'allowed'>,
  now: number,
  policy: string = policyOf(tier),
): Record<string, string> {
  const reset = now + resetMs;
  // A place may be free a moment after the window, for times are rounded up; no client expects to hear that.
  const seconds = Math.ceil(Math.min(resetMs, tier.windowMs) / 1000);
  return {
    'x-ratelimit-limit': String(tier.limit),
    'x-ratelimit-remaining': String(remaining),
    'x-ratelimit-reset': allowed ? wholeSecond(reset) : new Date(reset).toISOString(),
    'ratelimit-policy': policy,
    ratelimit: `"${tier.name}";r=${remaining};t=${seconds}`,
  };
}

/** Tells the client where it stands with the tightest tier. @param now unix milliseconds */
export function announce(reply: FastifyReply, set: TierSet, decision: Decision, now: number): void {
  if (decision.tightest !== undefined) reply.headers(rateLimitFields(decision.tightest, decision, now, set.policy));
}

import type { FastifyReply } from 'fastify';
import type { Decision } from './decision.js';
import type { TierSet } from './tier-set.js';

/** As many seconds as different resets are asked for within one: those of the windows in use. */
const KEPT = 64;
const seconds = new Float64Array(KEPT);
const texts: string[] = [];

/** RFC 3339, rounded up to whole seconds: of all requests of a second only the first has to write it. */
export function wholeSecond(unixMs: number): string {
  const second = Math.ceil(unixMs / 1000);
  const at = second % KEPT;
  const known = texts[at];
  if (known !== undefined && seconds[at] === second) return known;
  seconds[at] = second;
  return (texts[at] = `${new Date(second * 1000).toISOString().slice(0, 19)}Z`);
}

/**
 * Tells the client where it stands: `X-RateLimit-*` of the tightest tier, and `RateLimit-Policy` and `RateLimit` of
 * draft-ietf-httpapi-ratelimit-headers.
 *
 * @param now unix milliseconds
 */
export function announce(reply: FastifyReply, set: TierSet, decision: Decision, now: number): void {
  const { tightest, remaining, resetMs, allowed } = decision;
  if (tightest === undefined) return;
  const reset = now + resetMs;
  reply
    .header('x-ratelimit-limit', tightest.limit)
    .header('x-ratelimit-remaining', remaining)
    .header('x-ratelimit-reset', allowed ? wholeSecond(reset) : new Date(reset).toISOString())
    .header('ratelimit-policy', set.policy)
    .header('ratelimit', `"${tightest.name}";r=${remaining};t=${Math.ceil(resetMs / 1000)}`);
}

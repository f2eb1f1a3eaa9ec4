/** How a rule counts. A token bucket lets a burst of `limit` through at once and then one each `windowMs / limit`. */
export type Algorithm = 'sliding-window' | 'token-bucket';

/** One rule as it applies to one request: at most `limit` in any `windowMs`. What stores decide on. */
export interface Tier {
  /** Of the rule. */
  readonly name: string;
  /** What a store counts it under, each of a subject for itself: its name, unless a route has numbers of its own. */
  readonly counter: string;
  /** At least 1: a limit of 0 is no tier at all. */
  readonly limit: number;
  readonly windowMs: number;
  readonly algorithm: Algorithm;
  /** Decided and counted, never refused. */
  readonly shadow: boolean;
  /** Requests of so many milliseconds are kept as one; 0 keeps each by its own time. */
  readonly slotMs: number;
}

/** What clients are told of a tier. */
export type LimitedTier = Pick<Tier, 'name' | 'limit' | 'windowMs'>;

/** As the field `RateLimit-Policy` has it: in whole seconds. */
export function policyOf({ name, limit, windowMs }: LimitedTier): string {
  return `"${name}";q=${limit};w=${Math.ceil(windowMs / 1000)}`;
}

/** Of these many slots a window is made where keeping each request would cost too much. */
const SLOTS = 200;
/** A rule that allows less than one a second may keep this many times: looking through them is rare. */
const MAX_TIMES = 1000;

export function tier(
  name: string,
  limit: number,
  windowMs: number,
  algorithm: Algorithm = 'sliding-window',
  shadow = false,
  counter = name,
): Tier {
  return { name, counter, limit, windowMs, algorithm, shadow, slotMs: slotOf(limit, windowMs) };
}

/**
 * The default rules (10/s, 100/min, 1000/h) keep the time of every request and are exact. Larger ones put requests into
 * slots of a two-hundredth of the window, so that their memory and time do not grow with the limit.
 */
function slotOf(limit: number, windowMs: number): number {
  const isExact = limit <= SLOTS || (limit <= MAX_TIMES && windowMs / limit >= 1000);
  return isExact ? 0 : Math.max(1, Math.floor(windowMs / SLOTS));
}

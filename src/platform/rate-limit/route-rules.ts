import type { ExecutionContext, Type } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import {
  THROTTLER_BLOCK_DURATION,
  THROTTLER_KEY_GENERATOR,
  THROTTLER_LIMIT,
  THROTTLER_SKIP,
  THROTTLER_TRACKER,
  THROTTLER_TTL,
} from '@nestjs/throttler/dist/throttler.constants.js';
import { RATE_LIMIT_RULES, type RateLimitRuleName } from '../../config/index.js';
import { DEFAULT_RULES, MUTATION_RULES } from './rate-limit-rules.js';

export type Handler = ReturnType<ExecutionContext['getHandler']>;
export type Controller = Type | Handler;

/** A rule as it stands on a route. */
export interface RouteRule {
  readonly name: RateLimitRuleName;
  /** Of the route's own, in the place of the configured one. */
  readonly limit?: number | undefined;
  readonly windowMs?: number | undefined;
  /** A route with numbers of its own is counted by itself: another window would forget what the rule still counts. */
  readonly counter?: string;
}

/** The rules of a route, by who calls it and how. */
export interface RouteRules {
  /** Without a credential: only what the route itself asks for. */
  readonly anyone: readonly RouteRule[];
  readonly reading: readonly RouteRule[];
  readonly changing: readonly RouteRule[];
}

const reflector = new Reflector();

/**
 * What `@Throttle` and `@SkipThrottle` make of the default rules. The route's word goes before its controller's, and
 * skipping before asking, as in `ThrottlerGuard`.
 *
 * @throws TypeError for a name there is not, and for what a limit of ours cannot do
 */
export function routeRules(handler: Handler, controller: Controller): RouteRules {
  const places = [handler, controller];
  const where = `${controller.name}.${handler.name}`;
  const asked = namesIn(places, THROTTLER_LIMIT, [], where);
  namesIn(places, THROTTLER_SKIP, ['default'], where);
  const rules = (names: readonly RateLimitRuleName[]) =>
    [...new Set(names)].filter((name) => !isSkipped(name, places)).map((name) => ruleOf(name, places, where));
  return {
    anyone: rules(asked),
    // What only reads is no mutation, though its controller names the rule.
    reading: rules([...DEFAULT_RULES, ...asked.filter((name) => name !== 'mutations')]),
    changing: rules([...MUTATION_RULES, ...asked]),
  };
}

/** RFC 9110, section 9.2.1. */
export function isSafe(method: string): boolean {
  return method === 'GET' || method === 'HEAD' || method === 'OPTIONS';
}

/** The controller's first, so that its routes name them in one order. */
function namesIn(
  places: readonly Controller[],
  prefix: string,
  others: readonly string[],
  where: string,
): RateLimitRuleName[] {
  const keys = places.toReversed().flatMap((place): unknown[] => Reflect.getMetadataKeys(place));
  return keys.flatMap((key) => {
    if (typeof key !== 'string' || !key.startsWith(prefix)) return [];
    const name = key.slice(prefix.length);
    if (others.includes(name)) return [];
    const rule = RATE_LIMIT_RULES.find((each) => each === name);
    if (rule !== undefined) return [rule];
    throw new TypeError(`${where}: there is no limit "${name}"; name one of ${RATE_LIMIT_RULES.join(', ')}.`);
  });
}

function isSkipped(name: RateLimitRuleName, places: readonly Controller[]): boolean {
  for (const place of places) {
    const said: unknown =
      Reflect.getMetadata(THROTTLER_SKIP + name, place) ?? Reflect.getMetadata(`${THROTTLER_SKIP}default`, place);
    if (said !== undefined) return said === true;
  }
  return false;
}

const UNKNOWN_OPTIONS = {
  blockDuration: THROTTLER_BLOCK_DURATION,
  getTracker: THROTTLER_TRACKER,
  generateKey: THROTTLER_KEY_GENERATOR,
};

function ruleOf(name: RateLimitRuleName, places: Controller[], where: string): RouteRule {
  const told = (prefix: string): unknown => reflector.getAllAndOverride(prefix + name, places);
  for (const [option, prefix] of Object.entries(UNKNOWN_OPTIONS)) {
    if (told(prefix) === undefined) continue;
    throw new TypeError(`${where}: a limit has no ${option} here; of "${name}" give limit and ttl, or neither.`);
  }
  const number = (option: string, value: unknown) => {
    if (value === undefined || (typeof value === 'number' && Number.isSafeInteger(value) && value > 0)) return value;
    throw new TypeError(`${where}: ${option} of "${name}" must be a whole number from 1; @SkipThrottle turns it off.`);
  };
  const limit = number('limit', told(THROTTLER_LIMIT));
  const windowMs = number('ttl', told(THROTTLER_TTL));
  return limit === undefined && windowMs === undefined
    ? { name }
    : { name, limit, windowMs, counter: `${name}@${where}` };
}

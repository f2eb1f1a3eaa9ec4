import * as throttler from '@nestjs/throttler';
import type { RateLimitRuleName } from '../../config/index.js';

/** Whole numbers from 1; what is left out is as configured. */
interface RouteLimit {
  readonly limit?: number;
  /** Milliseconds. */
  readonly ttl?: number;
}

/**
 * Nest's `@Throttle`, with the names there are. It adds limits to a route, or to all routes of a controller:
 * `@Throttle({ payments: {} })`, or gives one numbers of its own: `@Throttle({ perMinute: { limit: 3 } })`.
 */
export const Throttle: (limits: Partial<Record<RateLimitRuleName, RouteLimit>>) => ClassDecorator & MethodDecorator =
  throttler.Throttle;

/** Nest's `@SkipThrottle`: `default`, which it takes where no name is given, stands for every limit. */
export const SkipThrottle: (
  limits?: Partial<Record<RateLimitRuleName | 'default', boolean>>,
) => ClassDecorator & MethodDecorator = throttler.SkipThrottle;

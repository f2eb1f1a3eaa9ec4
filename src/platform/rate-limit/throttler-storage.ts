import { Inject, Injectable } from '@nestjs/common';
import type { ThrottlerStorage } from '@nestjs/throttler';
import { RATE_LIMIT_STORE } from './rate-limiter.js';
import type { RateLimitStore } from './rate-limit-store.js';
import { tier } from './tier.js';

type Counted = Awaited<ReturnType<ThrottlerStorage['increment']>>;

/** Our store for guards that count tier by tier, those of other packages; our own takes one step for all. */
@Injectable()
export class StoreThrottlerStorage implements ThrottlerStorage {
  constructor(@Inject(RATE_LIMIT_STORE) private readonly store: RateLimitStore) {}

  /**
   * Counts one request, or refuses it and counts nothing: it is free again as soon as the window, which slides, has room.
   *
   * @param ttl milliseconds of the window
   * @param limit 0 refuses everything, as it does in `@nestjs/throttler`
   * @param blockDuration milliseconds; a guard that was not told of any hands in the window
   * @returns times in seconds
   * @throws RangeError for a block that would outlast the window, which no store of ours keeps
   */
  async increment(key: string, ttl: number, limit: number, blockDuration: number, name: string): Promise<Counted> {
    if (blockDuration > ttl) {
      throw new RangeError(
        `The blockDuration of the throttler "${name}" (${blockDuration} ms) is longer than its ttl.`,
      );
    }
    const windowSeconds = Math.ceil(ttl / 1000);
    if (limit < 1)
      return { totalHits: 1, timeToExpire: windowSeconds, isBlocked: true, timeToBlockExpire: windowSeconds };
    const { allowed, remaining, resetMs, retryAfterMs } = await this.store.take(`throttler:${key}`, [
      tier(name, limit, ttl),
    ]);
    return {
      totalHits: allowed ? limit - remaining : limit + 1,
      timeToExpire: Math.ceil(resetMs / 1000),
      isBlocked: !allowed,
      timeToBlockExpire: Math.ceil(retryAfterMs / 1000),
    };
  }
}

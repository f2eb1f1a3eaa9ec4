import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { CONFIG, type Config } from '../../../config/index.js';
import { REDIS, type RedisConnection } from '../../redis/index.js';

/**
 * The limiter's own connection to Redis: the time-out of the common one is by the clock, and after a pause of our own
 * process it takes a Redis for gone whose answers have only not been read yet (see `patience.ts`).
 */
@Injectable()
export class RateLimitConnection implements OnApplicationShutdown {
  /** Null when limits are counted elsewhere. */
  readonly redis: RedisConnection;

  constructor(@Inject(REDIS) common: RedisConnection, @Inject(CONFIG) { rateLimitStore }: Config) {
    this.redis = rateLimitStore === 'redis' && common !== null ? common.duplicate({ commandTimeout: undefined }) : null;
    // The common connection tells the log.
    this.redis?.on('error', () => undefined);
  }

  onApplicationShutdown(): void {
    this.redis?.disconnect();
  }
}

import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '../../config/index.js';
import { DatabaseClock } from '../clock/index.js';
import { ProcessLimit } from './process-limit.js';
import { RateLimitMetrics } from './rate-limit-metrics.js';

/**
 * How often an address may fail to say who it is: whoever tries out credentials is soon answered 429, which tells nothing of
 * them. Many may share an address, so it stops nobody who is genuine.
 */
@Injectable()
export class FailedAuthentications extends ProcessLimit {
  constructor(
    @Inject(CONFIG) { AUTH_FAILURE_RATE_LIMIT }: Pick<Config, 'AUTH_FAILURE_RATE_LIMIT'>,
    clock: DatabaseClock,
    metrics: RateLimitMetrics,
  ) {
    super('authFailures', AUTH_FAILURE_RATE_LIMIT, clock, metrics);
  }
}

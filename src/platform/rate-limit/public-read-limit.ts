import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '../../config/index.js';
import { DatabaseClock } from '../clock/index.js';
import { ProcessLimit } from './process-limit.js';
import { RateLimitMetrics } from './rate-limit-metrics.js';

/** How often an address may read what is for anyone: documents, metrics, account pages. */
@Injectable()
export class PublicReadLimit extends ProcessLimit {
  constructor(
    @Inject(CONFIG) { PUBLIC_READ_RATE_LIMIT }: Pick<Config, 'PUBLIC_READ_RATE_LIMIT'>,
    clock: DatabaseClock,
    metrics: RateLimitMetrics,
  ) {
    super('publicReads', PUBLIC_READ_RATE_LIMIT, clock, metrics);
  }
}

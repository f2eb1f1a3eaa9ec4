import { Inject, Injectable } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { CONFIG, type Config } from '../../config/index.js';
import { DatabaseClock } from '../clock/index.js';
import { MemoryRateLimitStore } from './adapters/memory-rate-limit-store.js';
import { announce } from './rate-limit-headers.js';
import { RateLimitMetrics } from './rate-limit-metrics.js';
import { RateLimitedError } from './rate-limited.error.js';
import { addressSubject } from './subject.js';
import { tier } from './tier.js';
import { TierSet } from './tier-set.js';

const NAME = 'publicReads';

/**
 * How often an address may read what is for anyone: documents, metrics, account pages. Each process counts for itself, in
 * memory: what it protects is the process.
 */
@Injectable()
export class PublicReadLimit {
  private readonly store = new MemoryRateLimitStore();
  /** Null: no limit. */
  private readonly set: TierSet | null;

  constructor(
    @Inject(CONFIG) { PUBLIC_READ_RATE_LIMIT }: Pick<Config, 'PUBLIC_READ_RATE_LIMIT'>,
    private readonly clock: DatabaseClock,
    private readonly metrics: RateLimitMetrics,
  ) {
    this.set = PUBLIC_READ_RATE_LIMIT > 0 ? new TierSet([tier(NAME, PUBLIC_READ_RATE_LIMIT, 60_000)]) : null;
  }

  /** @throws RateLimitedError (429) when it was one too many */
  take(ip: string, reply: FastifyReply): void {
    if (this.set === null) return;
    const decision = this.store.take(addressSubject(ip), this.set.tiers);
    this.metrics.count(NAME, decision.allowed ? 'allowed' : 'refused');
    if (decision.allowed) return;
    const now = this.clock.now();
    announce(reply, this.set, decision, now);
    this.metrics.countRefusal(NAME);
    throw new RateLimitedError(decision, now);
  }
}

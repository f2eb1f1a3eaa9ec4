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

const NAME = 'authFailures';

/**
 * How often an address may fail to say who it is: whoever tries out credentials is soon answered 429, which tells nothing of
 * them. Many may share an address, so it stops nobody who is genuine. Each process counts for itself, in memory.
 */
@Injectable()
export class FailedAuthentications {
  private readonly store = new MemoryRateLimitStore();
  /** Null: no limit. */
  private readonly set: TierSet | null;

  constructor(
    @Inject(CONFIG) { AUTH_FAILURE_RATE_LIMIT }: Pick<Config, 'AUTH_FAILURE_RATE_LIMIT'>,
    private readonly clock: DatabaseClock,
    private readonly metrics: RateLimitMetrics,
  ) {
    this.set = AUTH_FAILURE_RATE_LIMIT > 0 ? new TierSet([tier(NAME, AUTH_FAILURE_RATE_LIMIT, 60_000)]) : null;
  }

  /** @throws RateLimitedError (429) when it was one too many */
  record(ip: string, reply: FastifyReply): void {
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

import type { FastifyReply } from 'fastify';
import type { DatabaseClock } from '../clock/index.js';
import { MemoryRateLimitStore } from './adapters/memory-rate-limit-store.js';
import { announce } from './rate-limit-headers.js';
import type { RateLimitMetrics } from './rate-limit-metrics.js';
import { RateLimitedError } from './rate-limited.error.js';
import { addressSubject } from './subject.js';
import { tier } from './tier.js';
import { TierSet } from './tier-set.js';

/** So often a minute and address. Each process counts for itself, in memory: what it protects is the process. */
export abstract class ProcessLimit {
  private readonly store = new MemoryRateLimitStore();
  /** Null: no limit. */
  private readonly set: TierSet | null;

  /** @param limit 0 for none */
  constructor(
    private readonly name: string,
    limit: number,
    private readonly clock: DatabaseClock,
    private readonly metrics: RateLimitMetrics,
  ) {
    this.set = limit > 0 ? new TierSet([tier(name, limit, 60_000)]) : null;
  }

  /** @throws RateLimitedError (429) when it was one too many */
  record(ip: string, reply: FastifyReply): void {
    if (this.set === null) return;
    const decision = this.store.take(addressSubject(ip), this.set.tiers);
    this.metrics.count(this.name, decision.allowed ? 'allowed' : 'refused');
    if (decision.allowed) return;
    const now = this.clock.now();
    announce(reply, this.set, decision, now);
    this.metrics.countRefusal(this.name);
    throw new RateLimitedError(decision, now);
  }
}

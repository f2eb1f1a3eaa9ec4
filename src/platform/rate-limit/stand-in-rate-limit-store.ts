import { Logger } from '@nestjs/common';
import { MemoryRateLimitStore } from './adapters/memory-rate-limit-store.js';
import type { Decision } from './decision.js';
import { Patience } from './patience.js';
import type { Reading } from './reading.js';
import type { RateLimitMetrics } from './rate-limit-metrics.js';
import type { RateLimitStore } from './rate-limit-store.js';
import { type Tier, tier } from './tier.js';

/** Nobody waits longer for a decision than this, and that once in an outage. */
const DEADLINE_MS = 500;
/** How often a store that is away is asked whether it is back. */
const PROBE_EVERY_MS = 500;
/** A decision like any other, so that a Redis that is full, or may not write, is not taken for well. */
const PROBE = [tier('probe', 1_000_000_000, 1000, 'token-bucket')];

/**
 * A store that all replicas share, and this process's own memory for the time it is away. After a failure nobody waits
 * for it: requests are decided here at once, and a probe that is no request asks whether it is back. So a store that
 * hangs costs those who are waiting at that moment half a second, once.
 */
export class StandInRateLimitStore implements RateLimitStore {
  private readonly logger = new Logger('RateLimits');
  private readonly local = new MemoryRateLimitStore();
  private readonly patience = new Patience(DEADLINE_MS);
  private away = false;
  private probing = false;
  private probeAt = 0;

  constructor(
    private readonly shared: RateLimitStore,
    private readonly metrics: Pick<RateLimitMetrics, 'countDegraded'>,
    private readonly now: () => number = () => performance.now(),
  ) {}

  take(subject: string, tiers: readonly Tier[]): Decision | Promise<Decision> {
    return this.away ? this.takeAlone(subject, tiers) : this.takeShared(subject, tiers);
  }

  async refund(subject: string, tiers: readonly Tier[]): Promise<void> {
    if (this.away) return this.local.refund(subject, tiers);
    try {
      await this.patience.wait(Promise.resolve(this.shared.refund(subject, tiers)));
    } catch (error) {
      this.lose(error);
    }
  }

  async look(subject: string, tiers: readonly Tier[]): Promise<readonly Reading[]> {
    if (this.away) return this.local.look(subject, tiers);
    try {
      return await this.patience.wait(Promise.resolve(this.shared.look(subject, tiers)));
    } catch (error) {
      this.lose(error);
      return this.local.look(subject, tiers);
    }
  }

  private async takeShared(subject: string, tiers: readonly Tier[]): Promise<Decision> {
    try {
      return await this.patience.wait(Promise.resolve(this.shared.take(subject, tiers)));
    } catch (error) {
      this.lose(error);
      return this.takeAlone(subject, tiers);
    }
  }

  private takeAlone(subject: string, tiers: readonly Tier[]): Decision {
    this.metrics.countDegraded();
    if (!this.probing && this.now() >= this.probeAt) void this.probe();
    return this.local.take(subject, tiers);
  }

  private lose(error: unknown): void {
    this.probeAt = this.now() + PROBE_EVERY_MS;
    if (this.away) return;
    this.away = true;
    const reason = error instanceof Error ? error.message : String(error);
    this.logger.warn(`Limits are counted by each process for itself while their store is away: ${reason}`);
  }

  private async probe(): Promise<void> {
    this.probing = true;
    try {
      await this.patience.wait(Promise.resolve(this.shared.take('probe', PROBE)));
      this.away = false;
      this.logger.log('Limits are counted together again');
    } catch (error) {
      this.lose(error);
    } finally {
      this.probing = false;
    }
  }
}

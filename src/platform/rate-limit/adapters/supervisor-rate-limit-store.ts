import { performance } from 'node:perf_hooks';
import { Coalescer } from '../../coalescer/index.js';
import type { Topic } from '../../processes/index.js';
import { type Decision, decide } from '../decision.js';
import type { RateLimitStore } from '../rate-limit-store.js';
import type { Reading } from '../reading.js';
import type { Tier } from '../tier.js';
import { MemoryRateLimitStore } from './memory-rate-limit-store.js';

interface Call {
  readonly method: 'take' | 'refund' | 'look';
  readonly subject: string;
  readonly tiers: readonly Tier[];
}

/** What is used of its tiers, for each tier of a call, before it. */
type Readings = readonly Reading[];

/** What several processes ask their supervisor, which counts for all of them. */
export const LIMITS: Topic<readonly Call[], readonly Readings[]> = { name: 'limits' };

/** One count for the processes of one supervisor. What a turn of the event loop asks for goes in one message. */
export class SupervisorRateLimitStore implements RateLimitStore {
  private readonly calls: Coalescer<Call, Readings>;

  /** @param ask brings calls to the supervisor */
  constructor(ask: (calls: readonly Call[]) => Promise<readonly Readings[]>) {
    this.calls = new Coalescer({
      name: 'limits',
      maxItems: 1000,
      maxQueued: Infinity,
      concurrency: Infinity,
      flush: async (calls) => (await ask(calls)).map((result) => ({ result })),
    });
  }

  async take(subject: string, tiers: readonly Tier[]): Promise<Decision> {
    return decide(tiers, await this.calls.submit({ method: 'take', subject, tiers }));
  }

  async refund(subject: string, tiers: readonly Tier[]): Promise<void> {
    await this.calls.submit({ method: 'refund', subject, tiers });
  }

  look(subject: string, tiers: readonly Tier[]): Promise<Readings> {
    return this.calls.submit({ method: 'look', subject, tiers });
  }
}

/**
 * The supervisor's side.
 *
 * @returns what answers `LIMITS`. It answers what was used and no decision: a decision names the caller's own tiers, and
 *   the same readings make the same decision there
 */
export function answerLimits(): (calls: readonly Call[]) => readonly Readings[] {
  let now = 0;
  // The calls of one message happen at one time, so that what is told is what was decided on.
  const store = new MemoryRateLimitStore(() => now);
  return (calls) => {
    now = performance.now();
    return calls.map(({ method, subject, tiers }) => {
      const readings = method === 'refund' ? [] : store.look(subject, tiers);
      if (method !== 'look') store[method](subject, tiers);
      return readings;
    });
  };
}

import { performance } from 'node:perf_hooks';
import type { Channel } from '../../processes/index.js';
import { type Decision, decide } from '../decision.js';
import type { RateLimitStore } from '../rate-limit-store.js';
import type { Reading } from '../reading.js';
import type { Tier } from '../tier.js';
import { MemoryRateLimitStore } from './memory-rate-limit-store.js';

/** Topic of what several processes ask the one that started them, which counts for all of them. */
export const LIMITS = 'limits';

interface Call {
  readonly method: 'take' | 'refund' | 'look';
  readonly subject: string;
  readonly tiers: readonly Tier[];
}

/** One count for the processes that one parent has started. What a turn of the event loop asks for goes in one message. */
export class ParentRateLimitStore implements RateLimitStore {
  private calls: Call[] = [];
  private answers: Promise<readonly (readonly Reading[])[]> | undefined;

  constructor(private readonly parent: Pick<Channel, 'ask'>) {}

  async take(subject: string, tiers: readonly Tier[]): Promise<Decision> {
    return decide(tiers, await this.call({ method: 'take', subject, tiers }));
  }

  async refund(subject: string, tiers: readonly Tier[]): Promise<void> {
    await this.call({ method: 'refund', subject, tiers });
  }

  look(subject: string, tiers: readonly Tier[]): Promise<readonly Reading[]> {
    return this.call({ method: 'look', subject, tiers });
  }

  private async call(call: Call): Promise<readonly Reading[]> {
    const place = this.calls.push(call) - 1;
    this.answers ??= new Promise((resolve) => setImmediate(resolve)).then(() => this.send());
    return (await this.answers)[place] ?? [];
  }

  private async send(): Promise<readonly (readonly Reading[])[]> {
    const calls = this.calls;
    this.calls = [];
    this.answers = undefined;
    return (await this.parent.ask(LIMITS, calls)) as Reading[][];
  }
}

/**
 * The parent's side.
 *
 * @returns what answers `LIMITS`: for each call how much was used before it
 */
export function answerLimits(): (calls: unknown) => readonly (readonly Reading[])[] {
  let now = 0;
  // The calls of one message happen at one time, so that what is told is what was decided on.
  const store = new MemoryRateLimitStore(() => now);
  return (calls) => {
    now = performance.now();
    return (calls as readonly Call[]).map(({ method, subject, tiers }) => {
      const readings = method === 'refund' ? [] : store.look(subject, tiers);
      if (method !== 'look') store[method](subject, tiers);
      return readings;
    });
  };
}

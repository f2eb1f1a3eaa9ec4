import { Logger } from '@nestjs/common';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { MemoryRateLimitStore } from './adapters/memory-rate-limit-store.js';
import type { Decision } from './decision.js';
import { describeRateLimitStore } from './rate-limit-store.contract.js';
import { StandInRateLimitStore } from './stand-in-rate-limit-store.js';
import { tier, type Tier } from './tier.js';

const TIERS = [tier('minute', 3, 60_000)];

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await nextTurn();
}

/** A shared store that can be taken away: it then fails, or holds its answers until it is let go. */
class Shared extends MemoryRateLimitStore {
  mode: 'well' | 'failing' | 'hanging' = 'well';
  asked: string[] = [];
  private held: (() => void)[] = [];

  override take(subject: string, tiers: readonly Tier[]): Decision {
    return super.take(subject, tiers);
  }

  /** What the stand-in sees. */
  readonly store = {
    take: async (subject: string, tiers: readonly Tier[]) => {
      this.asked.push(subject);
      await this.pass();
      return this.take(subject, tiers);
    },
    refund: async (subject: string, tiers: readonly Tier[]) => {
      await this.pass();
      this.refund(subject, tiers);
    },
    look: async (subject: string, tiers: readonly Tier[]) => {
      await this.pass();
      return this.look(subject, tiers);
    },
  };

  /** Every command that hangs runs into its time-out. */
  timeOut(): void {
    for (const fail of this.held.splice(0)) fail();
  }

  private async pass(): Promise<void> {
    if (this.mode === 'failing') throw new Error('connection lost');
    if (this.mode === 'hanging')
      await new Promise<void>((_, reject) => this.held.push(() => reject(new Error('late'))));
  }
}

function standIn() {
  const shared = new Shared();
  const degraded = jest.fn();
  const clock = { now: 0 };
  const store = new StandInRateLimitStore(shared.store, { countDegraded: degraded }, () => clock.now);
  return { shared, store, clock, degraded };
}

beforeAll(() => {
  for (const level of ['warn', 'log'] as const) jest.spyOn(Logger.prototype, level).mockReturnValue();
});
afterAll(() => void jest.restoreAllMocks());

const healthy = new StandInRateLimitStore(new Shared().store, { countDegraded: () => undefined });
describeRateLimitStore('StandInRateLimitStore over a healthy store', () => healthy);

describe('StandInRateLimitStore', () => {
  it('decides in memory, counted as degraded, what the shared store fails to decide', async () => {
    const { shared, store, degraded } = standIn();
    shared.mode = 'failing';
    const allowed = [];
    for (let request = 0; request < 5; request++) allowed.push((await store.take('ann', TIERS)).allowed);
    expect(allowed).toEqual([true, true, true, false, false]);
    expect(degraded).toHaveBeenCalledTimes(5);
    expect(await store.look('ann', TIERS)).toMatchObject([{ used: 3 }]);
  });

  it('makes those wait who were waiting when the store began to hang, and nobody after them', async () => {
    const { shared, store } = standIn();
    shared.mode = 'hanging';
    const waiting = [1, 2].map(async () => store.take('ann', TIERS));
    shared.timeOut();
    await until(() => !(store.take('bob', TIERS) instanceof Promise));
    shared.timeOut();
    expect((await Promise.all(waiting)).map(({ allowed }) => allowed)).toEqual([true, true]);
    expect(store.take('bob', TIERS)).not.toBeInstanceOf(Promise);
  });

  it('asks a store that is away by one probe at a time, which is no request', async () => {
    const { shared, store, clock } = standIn();
    shared.mode = 'failing';
    await store.take('ann', TIERS);
    shared.mode = 'hanging';
    shared.asked = [];
    for (let request = 0; request < 50; request++) void store.take('ann', TIERS);
    expect(shared.asked).toEqual([]);
    clock.now += 500;
    for (let request = 0; request < 50; request++) void store.take('ann', TIERS);
    clock.now += 5000;
    for (let request = 0; request < 50; request++) void store.take('ann', TIERS);
    expect(shared.asked).toEqual(['probe']);
  });

  it('asks the shared store again as soon as a probe was answered, and not before', async () => {
    const { shared, store, clock } = standIn();
    shared.mode = 'failing';
    await store.take('ann', TIERS);
    clock.now += 500;
    void store.take('ann', TIERS);
    await until(() => shared.asked.includes('probe'));
    expect(shared.asked.filter((subject) => subject === 'probe')).toHaveLength(1);
    expect(store.take('ann', TIERS)).not.toBeInstanceOf(Promise);
    shared.mode = 'well';
    await until(() => {
      clock.now += 500;
      return store.take('ann', TIERS) instanceof Promise;
    });
    expect(shared.look('ann', TIERS)[0]?.used).toBeLessThanOrEqual(1);
  });

  it('loses no request over a refund that fails', async () => {
    const { shared, store } = standIn();
    await store.take('ann', TIERS);
    shared.mode = 'failing';
    await expect(store.refund('ann', TIERS)).resolves.toBeUndefined();
    expect(store.take('ann', TIERS)).not.toBeInstanceOf(Promise);
  });
});

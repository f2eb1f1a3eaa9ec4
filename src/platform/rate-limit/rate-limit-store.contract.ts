import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import type { RateLimitStore } from './rate-limit-store.js';
import { type Tier, tier } from './tier.js';

const MINUTE = 60_000;
const subject = () => `test:${randomUUID()}`;

async function takeMany(store: RateLimitStore, count: number, of: string, tiers: readonly Tier[]) {
  const decisions = [];
  for (let request = 0; request < count; request++) decisions.push(await store.take(of, tiers));
  return decisions;
}

async function usedOf(store: RateLimitStore, of: string, tiers: readonly Tier[]): Promise<number[]> {
  return (await store.look(of, tiers)).map(({ used }) => used);
}

/** Every adapter of the port keeps these promises. */
export function describeRateLimitStore(name: string, store: () => RateLimitStore): void {
  describe(`${name} as a rate limit store`, () => {
    describe.each(['sliding-window', 'token-bucket'] as const)('with a %s', (algorithm) => {
      const five = tier('five', 5, MINUTE, algorithm);

      it('allows exactly the limit at once and refuses the next, saying when to come back', async () => {
        const decisions = await takeMany(store(), 7, subject(), [five]);
        expect(decisions.map(({ allowed }) => allowed)).toEqual([true, true, true, true, true, false, false]);
        expect(decisions.map(({ remaining }) => remaining)).toEqual([4, 3, 2, 1, 0, 0, 0]);
        const [refused] = decisions.slice(-1);
        expect(refused!.tightest).toBe(five);
        expect(refused!.retryAfterMs).toBeGreaterThan(0);
        expect(refused!.retryAfterMs).toBeLessThanOrEqual(algorithm === 'token-bucket' ? MINUTE / 5 : MINUTE);
        expect(refused!.resetMs).toBe(refused!.retryAfterMs);
      });

      it('allows exactly the limit when all requests come at the same time', async () => {
        const own = subject();
        const decisions = await Promise.all(Array.from({ length: 50 }, async () => store().take(own, [five])));
        expect(decisions.filter(({ allowed }) => allowed)).toHaveLength(5);
      });

      it('lets in who waits as told, however often it was refused before', async () => {
        const own = subject();
        const short = tier('short', 2, 150, algorithm);
        await takeMany(store(), 20, own, [short]);
        // So many may take longer than the window; then one of them was let in.
        let refused = await store().take(own, [short]);
        while (refused.allowed) refused = await store().take(own, [short]);
        await sleep(refused.retryAfterMs + 5);
        expect((await store().take(own, [short])).allowed).toBe(true);
      });

      it('counts a request that was given back as never made', async () => {
        const own = subject();
        await takeMany(store(), 5, own, [five]);
        await store().refund(own, [five]);
        expect(await usedOf(store(), own, [five])).toEqual([4]);
        expect((await takeMany(store(), 2, own, [five])).map(({ allowed }) => allowed)).toEqual([true, false]);
      });

      it('gives back no more than was taken', async () => {
        const own = subject();
        await store().refund(own, [five]);
        await store().take(own, [five]);
        for (let times = 0; times < 3; times++) await store().refund(own, [five]);
        expect(await usedOf(store(), own, [five])).toEqual([0]);
        expect((await takeMany(store(), 6, own, [five])).filter(({ allowed }) => allowed).length).toBeGreaterThan(4);
      });

      it('looks without counting', async () => {
        const own = subject();
        expect(await store().look(own, [five])).toEqual([{ used: 0, waitMs: 0, clearMs: 0 }]);
        await takeMany(store(), 5, own, [five]);
        for (let look = 0; look < 3; look++) expect(await usedOf(store(), own, [five])).toEqual([5]);
        const [reading] = await store().look(own, [five]);
        expect(reading!.waitMs).toBeGreaterThan(0);
        expect(reading!.clearMs).toBeGreaterThan(MINUTE * 0.9);
        expect(reading!.clearMs).toBeLessThanOrEqual(MINUTE);
      });
    });

    it('counts each subject for itself, and each tier of a subject', async () => {
      const five = tier('five', 5, MINUTE);
      const other = tier('other', 5, MINUTE);
      const own = subject();
      await takeMany(store(), 6, own, [five]);
      expect((await store().take(subject(), [five])).allowed).toBe(true);
      expect((await store().take(own, [other])).allowed).toBe(true);
      expect(await usedOf(store(), own, [five, other])).toEqual([5, 1]);
    });

    it('charges no tier for a request that one of them refuses', async () => {
      const tiers = [
        tier('second', 2, 60_000),
        tier('minute', 100, MINUTE),
        tier('hour', 5000, 60 * MINUTE),
        tier('bucket', 50, MINUTE, 'token-bucket'),
      ];
      const own = subject();
      const decisions = await Promise.all(Array.from({ length: 20 }, async () => store().take(own, tiers)));
      expect(decisions.filter(({ allowed }) => allowed)).toHaveLength(2);
      expect(decisions.every(({ tightest }) => tightest === tiers[0])).toBe(true);
      expect(decisions.find(({ allowed }) => !allowed)!.charged).toEqual([]);
      expect(await usedOf(store(), own, tiers)).toEqual([2, 2, 2, 2]);
    });

    it('tells of the refusing tier that takes longest, and of an allowed request of the one with the least left', async () => {
      const short = tier('short', 3, 10_000);
      const long = tier('long', 3, MINUTE);
      const wide = tier('wide', 100, MINUTE);
      const own = subject();
      const decisions = await takeMany(store(), 4, own, [short, wide, long]);
      expect(decisions.map(({ tightest }) => tightest?.name)).toEqual(['long', 'long', 'long', 'long']);
      expect(decisions[3]!.retryAfterMs).toBeGreaterThan(50_000);
      expect(await usedOf(store(), own, [short, wide, long])).toEqual([3, 3, 3]);
    });

    it('never refuses for a shadow, and counts in it what it would have allowed', async () => {
      const shadow = tier('shadow', 2, MINUTE, 'sliding-window', true);
      const real = tier('real', 4, MINUTE);
      const own = subject();
      const decisions = await takeMany(store(), 6, own, [shadow, real]);
      expect(decisions.map(({ allowed }) => allowed)).toEqual([true, true, true, true, false, false]);
      expect(decisions.map(({ tightest }) => tightest)).toEqual(Array(6).fill(real));
      expect(decisions[2]).toMatchObject({ charged: [real], full: [shadow] });
      expect(await usedOf(store(), own, [shadow, real])).toEqual([2, 4]);
    });

    it('keeps to a limit that changes: a lower one counts what was allowed under the higher', async () => {
      const own = subject();
      await takeMany(store(), 8, own, [tier('rule', 10, MINUTE)]);
      expect((await store().take(own, [tier('rule', 5, MINUTE)])).allowed).toBe(false);
      expect((await store().take(own, [tier('rule', 9, MINUTE)])).allowed).toBe(true);
      expect((await store().take(own, [tier('rule', 9, MINUTE)])).allowed).toBe(false);
    });

    it('keeps large limits as exactly as small ones', async () => {
      const large = tier('large', 500, MINUTE);
      const own = subject();
      const decisions = await Promise.all(Array.from({ length: 520 }, async () => store().take(own, [large])));
      expect(decisions.filter(({ allowed }) => allowed)).toHaveLength(500);
      expect(decisions.find(({ allowed }) => !allowed)!.retryAfterMs).toBeGreaterThan(MINUTE * 0.9);
      expect(await usedOf(store(), own, [large])).toEqual([500]);
    });
  });
}

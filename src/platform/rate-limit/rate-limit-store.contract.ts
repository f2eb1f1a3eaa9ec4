import { describe, expect, it } from 'vitest';
import type { RateLimitStore } from './rate-limit-store.js';

/** Every adapter of the port keeps these promises. */
export function describeRateLimitStore(name: string, create: () => RateLimitStore): void {
  describe(`${name} as a rate limit store`, () => {
    const rule = { limit: 5, windowMs: 60_000 };
    const key = () => `test:${Math.random()}`;

    it('allows exactly the limit at once and refuses the next, saying when to come back', async () => {
      const store = create();
      const own = key();
      const decisions = [];
      for (let request = 0; request < 7; request++) decisions.push(await store.take(own, rule));
      expect(decisions.map(({ allowed }) => allowed)).toEqual([true, true, true, true, true, false, false]);
      expect(decisions.map(({ remaining }) => remaining)).toEqual([4, 3, 2, 1, 0, 0, 0]);
      expect(decisions[5]!.retryAfterMs).toBeGreaterThan(0);
      expect(decisions[5]!.retryAfterMs).toBeLessThanOrEqual(120_000);
    });

    it('counts each key for itself', async () => {
      const store = create();
      const [one, other] = [key(), key()];
      for (let request = 0; request < 6; request++) await store.take(one, rule);
      expect((await store.take(other, rule)).allowed).toBe(true);
    });

    it('allows exactly the limit when all requests come at the same time', async () => {
      const store = create();
      const own = key();
      const decisions = await Promise.all(Array.from({ length: 50 }, async () => store.take(own, rule)));
      expect(decisions.filter(({ allowed }) => allowed)).toHaveLength(5);
    });

    it('does not charge a refused request: who waits as told is let in', async () => {
      const store = create();
      const own = key();
      const short = { limit: 2, windowMs: 150 };
      for (let request = 0; request < 20; request++) await store.take(own, short);
      const { retryAfterMs } = await store.take(own, short);
      await new Promise((resolve) => setTimeout(resolve, retryAfterMs + 5));
      expect((await store.take(own, short)).allowed).toBe(true);
    });
  });
}

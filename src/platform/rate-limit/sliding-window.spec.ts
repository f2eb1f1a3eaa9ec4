import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MemoryRateLimitStore } from './memory-rate-limit-store.js';
import { describeRateLimitStore } from './rate-limit-store.contract.js';

describeRateLimitStore('MemoryRateLimitStore', () => new MemoryRateLimitStore());

describe('the sliding window', () => {
  it('never lets more than the limit through within one fixed window, and less than twice it in any', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 20 }),
        fc.array(fc.integer({ min: 0, max: 400 }), { minLength: 1, maxLength: 300 }),
        (limit, gaps) => {
          let now = 0;
          const store = new MemoryRateLimitStore(() => now);
          const allowedAt: number[] = [];
          for (const gap of gaps) {
            now += gap;
            if (store.take('key', { limit, windowMs: 1000 }).allowed) allowedAt.push(now);
          }
          for (const at of allowedAt) {
            const fixed = allowedAt.filter((other) => Math.floor(other / 1000) === Math.floor(at / 1000));
            const sliding = allowedAt.filter((other) => other > at - 1000 && other <= at);
            expect(fixed.length).toBeLessThanOrEqual(limit);
            expect(sliding.length).toBeLessThan(2 * limit + 1);
          }
        },
      ),
    );
  });

  it('tells the truth in retryAfterMs: one moment earlier is refused, then it is allowed', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 20 }),
        fc.array(fc.nat(300), { minLength: 30, maxLength: 60 }),
        (limit, gaps) => {
          let now = 0;
          const rule = { limit, windowMs: 1000 };
          const store = new MemoryRateLimitStore(() => now);
          for (const gap of gaps) {
            now += gap;
            const { allowed, retryAfterMs } = store.take('key', rule);
            if (allowed) continue;
            now += retryAfterMs - 1;
            const early = store.take('key', rule);
            now += 1;
            expect(early.allowed && retryAfterMs > 1).toBe(false);
            if (!early.allowed) expect(store.take('key', rule).allowed).toBe(true);
          }
        },
      ),
    );
  });
});

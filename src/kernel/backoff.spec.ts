import fc from 'fast-check';
import { describe, expect, it } from '@jest/globals';
import { backoffDelay } from './backoff.js';

describe('backoffDelay', () => {
  it('doubles from the base', () => {
    const middle = () => 0.5;
    expect([0, 1, 2, 3].map((retry) => backoffDelay(retry, { baseMs: 1000, capMs: 60_000 }, middle))).toEqual([
      1000, 2000, 4000, 8000,
    ]);
  });

  it('never leaves the cap by more than the jitter, whatever the retry', () => {
    fc.assert(
      fc.property(fc.nat(5000), fc.integer({ min: 1, max: 10_000 }), (retry, baseMs) => {
        const delay = backoffDelay(retry, { baseMs, capMs: 60_000 });
        expect(Number.isSafeInteger(delay)).toBe(true);
        expect(delay).toBeLessThanOrEqual(72_000);
        expect(delay).toBeGreaterThanOrEqual(Math.floor(Math.min(60_000, baseMs) * 0.8));
      }),
    );
  });
});

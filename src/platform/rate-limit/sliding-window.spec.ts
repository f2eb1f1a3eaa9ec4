import fc from 'fast-check';
import { describe, expect, it } from '@jest/globals';
import { MemoryRateLimitStore } from './adapters/memory-rate-limit-store.js';
import { tier, type Tier } from './tier.js';

/** The definition: no more than the limit among the requests of the last window, each kept by its time. */
class ExactLog {
  private times: number[] = [];

  constructor(private readonly rule: Tier) {}

  take(now: number): boolean {
    this.times = this.times.filter((time) => time + this.rule.windowMs > now);
    if (this.times.length >= this.rule.limit) return false;
    this.times.push(now);
    return true;
  }
}

interface Traffic {
  limit: number;
  windowMs: number;
  /** Milliseconds between requests. */
  gaps: number[];
}

/** Bursts and pauses around the rate the limit allows; two thirds of a window's limit may come at once. */
const traffic = (limits: fc.Arbitrary<number>): fc.Arbitrary<Traffic> =>
  limits.chain((limit) => {
    const windowMs = 10_000;
    const even = windowMs / limit;
    const gap = fc.oneof(
      { weight: 6, arbitrary: fc.double({ min: 0, max: even, noNaN: true }) },
      { weight: 3, arbitrary: fc.double({ min: 0, max: 3 * even, noNaN: true }) },
      { weight: 1, arbitrary: fc.double({ min: 0, max: 30 * even, noNaN: true }) },
    );
    return fc.array(gap, { minLength: 5 * limit, maxLength: 8 * limit }).map((gaps) => ({ limit, windowMs, gaps }));
  });

const small = traffic(fc.integer({ min: 1, max: 200 }));
const large = traffic(fc.integer({ min: 201, max: 400 }));

function play({ limit, windowMs, gaps }: Traffic, pass: (now: number, rule: Tier) => boolean) {
  let now = 0;
  const allowed: number[] = [];
  const rule = tier('rule', limit, windowMs);
  for (const gap of gaps) {
    now += gap;
    if (pass(now, rule)) allowed.push(now);
  }
  return allowed;
}

function limited(input: Traffic): number[] {
  let clock = 0;
  const store = new MemoryRateLimitStore(() => clock);
  return play(input, (now, rule) => {
    clock = now;
    return store.take('subject', [rule]).allowed;
  });
}

function exactlyLimited(input: Traffic): number[] {
  const log = new ExactLog(tier('rule', input.limit, input.windowMs));
  return play(input, (now) => log.take(now));
}

describe('the sliding window', () => {
  it('decides every request like an exact log where limits are small', () => {
    fc.assert(
      fc.property(small, (input) => {
        expect(limited(input)).toEqual(exactlyLimited(input));
      }),
      { numRuns: 60, endOnFailure: true },
    );
  });

  it('lets more than the limit through in no window whatever, and of large limits 98 % of what an exact log does', () => {
    let allowedOfAll = 0;
    let exactOfAll = 0;
    fc.assert(
      fc.property(fc.oneof(small, large, large), (input) => {
        const allowed = limited(input);
        for (let first = 0; first + input.limit < allowed.length; first++) {
          // This request and the one a whole limit later are not in one window; sums of doubles are off by less than a nanosecond.
          const apart = (allowed[first + input.limit] ?? 0) - (allowed[first] ?? 0);
          expect(apart).toBeGreaterThan(input.windowMs - 1e-6);
        }
        if (input.limit <= 200) return;
        allowedOfAll += allowed.length;
        exactOfAll += exactlyLimited(input).length;
      }),
      { numRuns: 100, endOnFailure: true },
    );
    expect(allowedOfAll / exactOfAll).toBeGreaterThanOrEqual(0.98);
    expect(allowedOfAll / exactOfAll).toBeLessThanOrEqual(1);
  });

  it('tells the truth in retryAfterMs: a moment earlier is refused, then it is allowed', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('sliding-window' as const, 'token-bucket' as const),
        fc.integer({ min: 1, max: 200 }),
        fc.array(fc.nat(30), { minLength: 250, maxLength: 300 }),
        (algorithm, limit, gaps) => {
          let now = 0;
          const rule = tier('rule', limit, 1000, algorithm);
          const store = new MemoryRateLimitStore(() => now);
          for (const gap of gaps) {
            now += gap;
            const { allowed, retryAfterMs } = store.take('subject', [rule]);
            if (allowed) continue;
            now += retryAfterMs - 1;
            expect(store.take('subject', [rule]).allowed && retryAfterMs > 1).toBe(false);
            now += 1;
            expect(store.take('subject', [rule]).allowed).toBe(true);
          }
        },
      ),
    );
  });
});

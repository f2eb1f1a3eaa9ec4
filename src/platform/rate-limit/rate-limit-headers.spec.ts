import { describe, expect, it } from '@jest/globals';
import { rateLimitFields, wholeSecond } from './rate-limit-headers.js';

describe('a reset time', () => {
  it.each([
    [0, '1970-01-01T00:00:00Z'],
    [1, '1970-01-01T00:00:01Z'],
    [1_700_000_000_000, '2023-11-14T22:13:20Z'],
    [1_700_000_000_000.5, '2023-11-14T22:13:21Z'],
    [1_700_000_063_999, '2023-11-14T22:14:24Z'],
  ])('of %d ms is rounded up to a whole second: %s', (unixMs, text) => {
    expect(wholeSecond(unixMs)).toBe(text);
    expect(wholeSecond(unixMs)).toBe(text);
  });

  it('is right for whatever order of times, also those that share a place in the memory of texts', () => {
    for (const step of [1000, 64_000, 3_600_000]) {
      for (let time = 1_700_000_000_000; time < 1_700_000_000_000 + 200 * step; time += step) {
        expect(Date.parse(wholeSecond(time))).toBe(time);
        expect(Date.parse(wholeSecond(time - 500))).toBe(time);
      }
    }
  });
});

describe('the fields', () => {
  const tier = { name: 'payments', limit: 5, windowMs: 60_000 };
  const now = 1_700_000_000_250;

  it('say of an allowed request what is left, with a reset of whole seconds', () => {
    expect(rateLimitFields(tier, { allowed: true, remaining: 3, resetMs: 60_000 }, now)).toEqual({
      'x-ratelimit-limit': '5',
      'x-ratelimit-remaining': '3',
      'x-ratelimit-reset': '2023-11-14T22:14:21Z',
      'ratelimit-policy': '"payments";q=5;w=60',
      ratelimit: '"payments";r=3;t=60',
    });
  });

  it('say of a refused one exactly when there is room', () => {
    const fields = rateLimitFields(
      tier,
      { allowed: false, remaining: 0, resetMs: 1501 },
      now,
      '"a";q=1;w=1, "b";q=2;w=1',
    );
    expect(fields).toMatchObject({
      'x-ratelimit-reset': '2023-11-14T22:13:21.751Z',
      'ratelimit-policy': '"a";q=1;w=1, "b";q=2;w=1',
      ratelimit: '"payments";r=0;t=2',
    });
  });

  it('never ask to wait for longer than the window', () => {
    const { ratelimit } = rateLimitFields(tier, { allowed: false, remaining: 0, resetMs: 60_300 }, now);
    expect(ratelimit).toBe('"payments";r=0;t=60');
  });
});

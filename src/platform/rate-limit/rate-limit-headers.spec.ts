import { describe, expect, it } from 'vitest';
import { wholeSecond } from './rate-limit-headers.js';

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

import { describe, expect, it } from '@jest/globals';
import { Tally } from './tally.js';

describe('Tally', () => {
  it('counts what was accepted, what was a duplicate and what failed, and how fast', () => {
    const tally = new Tally();
    for (let ms = 1; ms <= 100; ms++) tally.add(ms % 2 ? 'accepted' : 'already_processed', true, ms);
    expect(tally.summary(2000)).toBe(
      '100 sent in 2.00 s (50 per second): 50 accepted, 50 already_processed, 0 errors; ' +
        'half answered within 50.0 ms, 99 % within 99.0 ms',
    );
  });

  it('names each kind of error once, with how often it came', () => {
    const tally = new Tally();
    tally.add('accepted', true, 5);
    for (let n = 0; n < 3; n++) tally.add('429 RATE_LIMIT_EXCEEDED', false, 1);
    tally.add('no server answers', false);
    expect(tally.errors).toBe(4);
    expect(tally.sent).toBe(5);
    expect(tally.summary(1000).split('\n').slice(1)).toEqual([
      '  3 × 429 RATE_LIMIT_EXCEEDED',
      '  1 × no server answers',
    ]);
  });

  it('says what it can when nothing was answered', () => {
    const tally = new Tally();
    tally.add('no server answers', false);
    expect(tally.summary(1000)).toContain('0 accepted, 0 already_processed, 1 errors');
  });
});

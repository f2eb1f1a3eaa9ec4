import { describe, expect, it } from '@jest/globals';
import { describeRateLimitStore } from '../rate-limit-store.contract.js';
import { tier } from '../tier.js';
import { MemoryRateLimitStore } from './memory-rate-limit-store.js';

const store = new MemoryRateLimitStore();
describeRateLimitStore('MemoryRateLimitStore', () => store);

describe('MemoryRateLimitStore', () => {
  const rule = tier('rule', 1, 1000);

  it('forgets subjects of which nothing counts any more', () => {
    let now = 0;
    const short = new MemoryRateLimitStore(() => now);
    for (let sender = 0; sender < 1000; sender++) short.take(`early:${sender}`, [rule]);
    for (let second = 2; second < 6; second += 2) {
      now = second * 1000;
      short.take(`late:${second}`, [rule]);
    }
    expect(short.size).toBeLessThanOrEqual(2);
  });

  it('remembers those that still count, however many others come', () => {
    let now = 0;
    const busy = new MemoryRateLimitStore(() => now);
    busy.take('first', [rule]);
    for (let sender = 0; sender < 40_000; sender++) {
      now = sender / 50;
      busy.take(`other:${sender}`, [rule]);
    }
    expect(busy.take('first', [rule]).allowed).toBe(false);
  });

  it('holds a bounded number of subjects', () => {
    const flooded = new MemoryRateLimitStore(() => 0);
    for (let sender = 0; sender < 200_000; sender++) flooded.take(`other:${sender}`, [rule]);
    expect(flooded.size).toBeLessThanOrEqual(100_001);
  });
});

import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { describeRateLimitStore } from '../../src/platform/rate-limit/rate-limit-store.contract.js';
import { RedisRateLimitStore } from '../../src/platform/rate-limit/redis-rate-limit-store.js';
import { sharedRedisUrl } from '../support/redis.js';

describe('limits in Redis', () => {
  let clients: Redis[];
  let stores: RedisRateLimitStore[];
  const newKey = () => `test:${Math.random()}`;

  beforeAll(() => {
    clients = Array.from({ length: 2 }, () => new Redis(sharedRedisUrl()));
    stores = clients.map((client) => new RedisRateLimitStore(client));
  });

  afterAll(() => {
    for (const client of clients ?? []) client.disconnect();
  });

  describeRateLimitStore('Redis', () => stores[0]!);

  it('are one count for all replicas: of 60 requests at once over two, exactly the limit passes', async () => {
    const key = newKey();
    const rule = { limit: 10, windowMs: 60_000 };
    const decisions = await Promise.all(Array.from({ length: 60 }, (_, index) => stores[index % 2]!.take(key, rule)));
    expect(decisions.filter(({ allowed }) => allowed)).toHaveLength(10);
  });

  it('leave nothing behind once both windows that count are over', async () => {
    const key = newKey();
    await stores[0]!.take(key, { limit: 10, windowMs: 60_000 });
    const milliseconds = await clients[0]!.pttl(`holdfast:rate:${key}`);
    expect(milliseconds).toBeGreaterThan(60_000);
    expect(milliseconds).toBeLessThanOrEqual(120_000);
  });

  it('go by the clock of Redis: a replica whose own clock is wrong decides the same', async () => {
    const key = newKey();
    const rule = { limit: 3, windowMs: 60_000 };
    const realNow = Date.now;
    for (let request = 0; request < 3; request++) await stores[0]!.take(key, rule);
    Date.now = () => realNow() + 3_600_000;
    try {
      expect((await stores[1]!.take(key, rule)).allowed).toBe(false);
    } finally {
      Date.now = realNow;
    }
  });
});

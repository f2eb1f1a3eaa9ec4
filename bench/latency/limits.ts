import { randomInt } from 'node:crypto';
import { MemoryRateLimitStore } from '../../src/platform/rate-limit/adapters/memory-rate-limit-store.js';
import { PostgresRateLimitStore } from '../../src/platform/rate-limit/adapters/postgres-rate-limit-store.js';
import { RedisRateLimitStore } from '../../src/platform/rate-limit/adapters/redis-rate-limit-store.js';
import type { RateLimitStore } from '../../src/platform/rate-limit/rate-limit-store.js';
import { tier } from '../../src/platform/rate-limit/tier.js';
import { USERS } from '../requests/users.js';
import { type Ask, latencyBench, type LatencyBench } from './latency-bench.js';
import { openRedis, openTransactor } from './stores.js';

/** What a request that changes something is held to by default. */
const TIERS = [
  tier('perSecond', 10, 1000),
  tier('perMinute', 100, 60_000),
  tier('perHour', 1000, 3_600_000),
  tier('mutations', 20, 60_000),
];

const COMMON = {
  bound: 5,
  askers: 16,
  remark: `16 at a time, four rules decided together for one of ${USERS.toLocaleString('en-US')} subjects`,
} satisfies Partial<LatencyBench>;

/** L3: whether a request is within its limits, counted in the process. */
export const memoryLimits = latencyBench({
  ...COMMON,
  id: 'L3',
  title: 'limits decided, memory',
  redis: false,
  prepare: () => askFor(new MemoryRateLimitStore()),
});

/** L4: the same counted in Redis. */
export const redisLimits = latencyBench({
  ...COMMON,
  id: 'L4',
  title: 'limits decided, Redis',
  redis: true,
  prepare: (stage) => askFor(new RedisRateLimitStore(openRedis(stage))),
});

/** L5: the same counted in PostgreSQL. */
export const postgresLimits = latencyBench({
  ...COMMON,
  id: 'L5',
  title: 'limits decided, PostgreSQL',
  redis: false,
  prepare: async (stage) => askFor(new PostgresRateLimitStore(await openTransactor(stage))),
});

function askFor(store: RateLimitStore): Ask {
  return () => {
    const askedAt = performance.now();
    const decision = store.take(`api-key:${randomInt(USERS)}`, TIERS);
    if (!(decision instanceof Promise)) return performance.now() - askedAt;
    return decision.then(() => performance.now() - askedAt);
  };
}

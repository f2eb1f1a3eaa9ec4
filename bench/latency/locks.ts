import { randomInt } from 'node:crypto';
import { PostgresLockStore } from '../../src/platform/locks/adapters/postgres-lock-store.js';
import { RedisLockStore } from '../../src/platform/locks/adapters/redis-lock-store.js';
import { Locks } from '../../src/platform/locks/index.js';
import { Metrics } from '../../src/platform/metrics/index.js';
import { USERS, userId } from '../requests/users.js';
import { type Ask, latencyBench, type LatencyBench } from './latency-bench.js';
import { openRedis, openTransactor } from './stores.js';

const TTL_MS = 5000;

const COMMON = {
  bound: 50,
  askers: 16,
  remark: `16 at a time lock one of ${USERS.toLocaleString('en-US')} wallets and let go of it`,
} satisfies Partial<LatencyBench>;

/** L1: from asking for a lock to having it, where PostgreSQL keeps locks. */
export const postgresLocks = latencyBench({
  ...COMMON,
  id: 'L1',
  title: 'lock acquired, PostgreSQL',
  redis: false,
  prepare: async (stage) => askFor(new Locks(new PostgresLockStore(await openTransactor(stage)), new Metrics())),
});

/** L2: the same where Redis does. */
export const redisLocks = latencyBench({
  ...COMMON,
  id: 'L2',
  title: 'lock acquired, Redis',
  redis: true,
  prepare: (stage) => askFor(new Locks(new RedisLockStore([openRedis(stage)], Date), new Metrics())),
});

function askFor(locks: Locks): Ask {
  return async () => {
    const askedAt = performance.now();
    return locks.withLock(
      `wallet:${userId(randomInt(USERS))}`,
      { ttl: TTL_MS },
      async () => performance.now() - askedAt,
    );
  };
}

import { Module } from '@nestjs/common';
import { ClockModule, DatabaseClock } from '../clock/index.js';
import { REDIS_NODES, type RedisClient, RedisModule } from '../redis/index.js';
import { Transactor } from '../transaction/index.js';
import { PostgresLockStore } from './adapters/postgres-lock-store.js';
import { RedisLockStore } from './adapters/redis-lock-store.js';
import { LockFence } from './lock-fence.js';
import { LOCK_STORE, type LockStore } from './lock-store.js';
import { Locks } from './locks.js';

@Module({
  imports: [ClockModule, RedisModule],
  providers: [
    {
      provide: PostgresLockStore,
      inject: [Transactor],
      useFactory: (transactor: Transactor) => new PostgresLockStore(transactor),
    },
    {
      provide: LOCK_STORE,
      inject: [REDIS_NODES, DatabaseClock, PostgresLockStore],
      useFactory: (nodes: readonly RedisClient[], clock: DatabaseClock, postgres: PostgresLockStore): LockStore =>
        nodes.length > 0 ? new RedisLockStore(nodes, clock) : postgres,
    },
    Locks,
    LockFence,
  ],
  exports: [Locks, LockFence],
})
export class LocksModule {}

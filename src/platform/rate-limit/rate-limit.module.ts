import { Global, Module } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { ThrottlerModule } from '@nestjs/throttler';
import { TypeOrmModule } from '@nestjs/typeorm';
import { CONFIG, type Config } from '../../config/index.js';
import { ClockModule } from '../clock/index.js';
import { SUPERVISOR } from '../processes/index.js';
import { RedisModule } from '../redis/index.js';
import { Transactor } from '../transaction/index.js';
import { MemoryRateLimitStore } from './adapters/memory-rate-limit-store.js';
import { LIMITS, SupervisorRateLimitStore } from './adapters/supervisor-rate-limit-store.js';
import { PostgresRateLimitStore } from './adapters/postgres-rate-limit-store.js';
import { RateLimitConnection } from './adapters/rate-limit-connection.js';
import { RedisRateLimitStore } from './adapters/redis-rate-limit-store.js';
import { ApplicableTiers } from './applicable-tiers.js';
import { AttemptLimiter } from './attempt-limiter.js';
import { FailedAuthentications } from './failed-authentications.js';
import { PublicReadLimit } from './public-read-limit.js';
import { RateLimitOverride } from './overrides/rate-limit-override.entity.js';
import { RateLimitOverrides } from './overrides/rate-limit-overrides.js';
import { RateLimitOverridesRepository } from './overrides/rate-limit-overrides.repository.js';
import { RateLimitGuard } from './rate-limit.guard.js';
import { RateLimitMetrics } from './rate-limit-metrics.js';
import { RateLimitRules } from './rate-limit-rules.js';
import type { RateLimitStore } from './rate-limit-store.js';
import { RATE_LIMIT_STORE, RateLimiter } from './rate-limiter.js';
import { StandInRateLimitStore } from './stand-in-rate-limit-store.js';
import { StoreThrottlerStorage } from './throttler-storage.js';
import { throttlersOf } from './throttlers.js';

@Global()
@Module({
  imports: [
    TypeOrmModule.forFeature([RateLimitOverride]),
    ClockModule,
    RedisModule,
    DiscoveryModule,
    ThrottlerModule.forRootAsync({
      inject: [RateLimitRules, StoreThrottlerStorage],
      useFactory: (rules: RateLimitRules, storage: StoreThrottlerStorage) => ({
        throttlers: throttlersOf(rules),
        storage,
      }),
    }),
  ],
  providers: [
    {
      provide: RATE_LIMIT_STORE,
      inject: [CONFIG, RateLimitConnection, PostgresRateLimitStore, RateLimitMetrics],
      useFactory: createStore,
    },
    {
      provide: PostgresRateLimitStore,
      inject: [Transactor],
      useFactory: (transactor: Transactor) => new PostgresRateLimitStore(transactor),
    },
    ApplicableTiers,
    AttemptLimiter,
    FailedAuthentications,
    PublicReadLimit,
    RateLimitConnection,
    RateLimiter,
    RateLimitGuard,
    RateLimitMetrics,
    RateLimitOverrides,
    RateLimitOverridesRepository,
    RateLimitRules,
    StoreThrottlerStorage,
  ],
  exports: [
    AttemptLimiter,
    FailedAuthentications,
    PublicReadLimit,
    RateLimiter,
    RateLimitGuard,
    RateLimitOverrides,
    RateLimitOverridesRepository,
    RateLimitRules,
    StoreThrottlerStorage,
  ],
})
export class RateLimitModule {}

function createStore(
  { rateLimitStore }: Config,
  { redis }: RateLimitConnection,
  postgres: PostgresRateLimitStore,
  metrics: RateLimitMetrics,
): RateLimitStore {
  if (rateLimitStore === 'memory') return createMemoryStore(metrics);
  if (rateLimitStore === 'redis') {
    if (redis === null) throw new TypeError('RATE_LIMIT_STORE=redis needs REDIS_URL');
    return new StandInRateLimitStore(new RedisRateLimitStore(redis), metrics);
  }
  return new StandInRateLimitStore(postgres, metrics);
}

function createMemoryStore(metrics: RateLimitMetrics): RateLimitStore {
  const supervisor = SUPERVISOR;
  if (supervisor === null) return new MemoryRateLimitStore();
  return new StandInRateLimitStore(new SupervisorRateLimitStore((calls) => supervisor.ask(LIMITS, calls)), metrics);
}

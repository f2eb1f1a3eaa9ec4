import type { INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ConfigModule, loadConfig } from '../../src/config/index.js';
import { ClockModule } from '../../src/platform/clock/index.js';
import { DatabaseModule } from '../../src/platform/database/index.js';
import { LocksModule } from '../../src/platform/locks/index.js';
import { MetricsModule } from '../../src/platform/metrics/index.js';
import { RedisModule } from '../../src/platform/redis/index.js';
import { ScheduleModule } from '../../src/platform/schedule/index.js';
import { TransactionModule } from '../../src/platform/transaction/index.js';

/** What a process of Holdfast has of locks, and nothing else. @param redisUrl '' for locks in PostgreSQL */
export function lockContext(databaseUrl: string, redisUrl: string): Promise<INestApplicationContext> {
  const config = loadConfig({
    NODE_ENV: 'test',
    REDIS_URL: redisUrl,
    ENCRYPTION_KEY: '0'.repeat(64),
    JWT_SECRET: '0'.repeat(64),
  });
  class OnlyLocks {}
  return NestFactory.createApplicationContext(
    {
      module: OnlyLocks,
      imports: [
        ConfigModule.forRoot(config),
        MetricsModule,
        DatabaseModule.forRoot(databaseUrl, { entities: [], migrations: [] }),
        RedisModule,
        ScheduleModule,
        ClockModule,
        TransactionModule,
        LocksModule,
      ],
    },
    { logger: false, abortOnError: false },
  );
}

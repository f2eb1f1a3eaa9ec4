import { Global, Module } from '@nestjs/common';
import { ClockModule } from '../clock/index.js';
import { EncryptionModule } from '../encryption/index.js';
import { RepeatLookup } from '../rate-limit/index.js';
import { RedisModule } from '../redis/index.js';
import { AnswerCache } from './answer-cache.js';
import { AttemptsInFlight } from './attempts-in-flight.js';
import { ExpiredRecords } from './expired-records.js';
import { GuardedAttempts } from './guarded-attempts.js';
import { IdempotencyController } from './idempotency.controller.js';
import { IdempotencyGuard } from './idempotency.guard.js';
import { IdempotencyOutcomes } from './idempotency-outcomes.js';
import { IdempotencyRecords } from './idempotency-records.js';
import { IdempotencyStatistics } from './idempotency-statistics.js';
import { IdempotencyStore } from './idempotency-store.js';
import { IdempotentTransactor } from './idempotent-transactor.js';
import { StoredRepeats } from './stored-repeats.js';

/** `@Idempotent` routes. Global, because Nest makes their interceptors in the module of each controller. */
@Global()
@Module({
  imports: [ClockModule, EncryptionModule, RedisModule],
  controllers: [IdempotencyController],
  providers: [
    AnswerCache,
    AttemptsInFlight,
    ExpiredRecords,
    GuardedAttempts,
    IdempotencyGuard,
    IdempotencyOutcomes,
    IdempotencyRecords,
    IdempotencyStatistics,
    IdempotencyStore,
    IdempotentTransactor,
    { provide: RepeatLookup, useClass: StoredRepeats },
  ],
  exports: [
    AnswerCache,
    GuardedAttempts,
    IdempotencyGuard,
    IdempotencyOutcomes,
    IdempotencyRecords,
    IdempotentTransactor,
    RepeatLookup,
  ],
})
export class IdempotencyModule {}

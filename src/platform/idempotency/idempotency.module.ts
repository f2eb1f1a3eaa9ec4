import { Global, Module } from '@nestjs/common';
import { ClockModule } from '../clock/index.js';
import { RepeatLookup } from '../rate-limit/index.js';
import { RedisModule } from '../redis/index.js';
import { AnswerCache } from './answer-cache.js';
import { AttemptsInFlight } from './attempts-in-flight.js';
import { ExpiredRecords } from './expired-records.js';
import { IdempotencyController } from './idempotency.controller.js';
import { IdempotencyGuard } from './idempotency.guard.js';
import { IdempotencyOutcomes } from './idempotency-outcomes.js';
import { IdempotencyRecords } from './idempotency-records.js';
import { IdempotencyStatistics } from './idempotency-statistics.js';
import { IdempotencyStore } from './idempotency-store.js';
import { IdempotentAnswers } from './idempotent-answers.js';
import { Repeats } from './repeats.js';
import { StoredRepeats } from './stored-repeats.js';

/** `@Idempotent` routes. Global, because Nest makes their interceptors in the module of each controller. */
@Global()
@Module({
  imports: [ClockModule, RedisModule],
  controllers: [IdempotencyController],
  providers: [
    AnswerCache,
    AttemptsInFlight,
    ExpiredRecords,
    IdempotencyGuard,
    IdempotencyOutcomes,
    IdempotencyRecords,
    IdempotencyStatistics,
    IdempotencyStore,
    IdempotentAnswers,
    Repeats,
    { provide: RepeatLookup, useClass: StoredRepeats },
  ],
  exports: [
    AttemptsInFlight,
    IdempotencyGuard,
    IdempotencyOutcomes,
    IdempotencyRecords,
    IdempotencyStore,
    IdempotentAnswers,
    RepeatLookup,
    Repeats,
  ],
})
export class IdempotencyModule {}

import { Module } from '@nestjs/common';
import { CONFIG, type Config } from '../../config/index.js';
import { EncryptionModule } from '../encryption/index.js';
import { JobHandlers } from './job-handlers.js';
import { JobMetrics } from './job-metrics.js';
import { JobQueueRepository } from './job-queue.repository.js';
import { JobRunner } from './job-runner.js';
import { JobSweeps } from './job-sweeps.js';
import { JOB_TIMINGS, JOB_TIMINGS_OF_PRODUCTION, type JobTimings } from './job-timings.js';
import { JobWorker } from './job-worker.js';
import { Jobs } from './jobs.js';
import { JobsInFlight } from './jobs-in-flight.js';
import { JobsRepository } from './jobs.repository.js';

/** Durable work for later; see docs/mail.md. */
@Module({
  imports: [EncryptionModule],
  providers: [
    {
      provide: JOB_TIMINGS,
      inject: [CONFIG],
      useFactory: (config: Config): JobTimings => ({
        ...JOB_TIMINGS_OF_PRODUCTION,
        drain: config.SHUTDOWN_TIMEOUT_MS / 2,
      }),
    },
    JobHandlers,
    JobMetrics,
    JobQueueRepository,
    JobRunner,
    Jobs,
    JobsInFlight,
    JobsRepository,
    JobSweeps,
    JobWorker,
  ],
  exports: [Jobs],
})
export class JobsModule {}

import { Inject, Injectable, Logger } from '@nestjs/common';
import { Every } from '../schedule/index.js';
import { JobMetrics } from './job-metrics.js';
import { JobQueueRepository } from './job-queue.repository.js';
import { JOB_TIMINGS, type JobTimings } from './job-timings.js';

const BATCH = 500;
const RETENTION_DAYS = 30;

/** Gives up what has expired, of whatever kind, and removes what was given up long ago. */
@Injectable()
export class JobSweeps {
  private readonly logger = new Logger(JobSweeps.name);

  constructor(
    private readonly repository: JobQueueRepository,
    private readonly metrics: JobMetrics,
    @Inject(JOB_TIMINGS) private readonly timings: JobTimings,
  ) {}

  @Every((sweeps: JobSweeps) => sweeps.timings.sweep, { name: 'expired jobs', role: 'background', batch: BATCH })
  async giveUpExpired(limit: number): Promise<number> {
    const expired = await this.repository.giveUpExpired(limit);
    for (const job of expired) {
      this.metrics.finished(job.kind, 'expired');
      this.logger.error({ msg: 'A job was given up', ...job });
    }
    return expired.length;
  }

  @Every((sweeps: JobSweeps) => sweeps.timings.sweep, { name: 'given-up jobs', role: 'background', batch: BATCH })
  removeGivenUp(limit: number): Promise<number> {
    return this.repository.removeGivenUp(RETENTION_DAYS, limit);
  }
}

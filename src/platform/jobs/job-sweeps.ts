import { Inject, Injectable, Logger, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { type RepeatingTask, RepeatingTasks } from '../schedule/index.js';
import { JobMetrics } from './job-metrics.js';
import { JobQueueRepository } from './job-queue.repository.js';
import { JOB_TIMINGS, type JobTimings } from './job-timings.js';

const BATCH = 500;
const RETENTION_DAYS = 30;

/** Gives up what has expired, of whatever kind, and removes what was given up long ago. */
@Injectable()
export class JobSweeps implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly logger = new Logger(JobSweeps.name);
  private task: RepeatingTask | undefined;

  constructor(
    private readonly repository: JobQueueRepository,
    private readonly tasks: RepeatingTasks,
    private readonly metrics: JobMetrics,
    @Inject(JOB_TIMINGS) private readonly timings: JobTimings,
  ) {}

  onApplicationBootstrap(): void {
    this.task = this.tasks.sweep(
      this.timings.sweep,
      'expired jobs',
      BATCH,
      (limit) => this.giveUpExpired(limit),
      (limit) => this.repository.removeGivenUp(RETENTION_DAYS, limit),
    );
  }

  async onModuleDestroy(): Promise<void> {
    await this.task?.stop();
  }

  private async giveUpExpired(limit: number): Promise<number> {
    const expired = await this.repository.giveUpExpired(limit);
    for (const job of expired) {
      this.metrics.finished(job.kind, 'expired');
      this.logger.error({ msg: 'A job was given up', ...job });
    }
    return expired.length;
  }
}

import { Inject, Injectable, Logger, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { HEARTBEATS_PER_LEASE, InFlight } from '../lease/index.js';
import { type RepeatingTask, RepeatingTasks } from '../schedule/index.js';
import { JobHandedBackError, JobLostError } from './job.errors.js';
import { JOB_TIMINGS, type JobTimings } from './job-timings.js';
import { type ClaimedJob, JobsRepository } from './jobs.repository.js';

/** The jobs this process is working on: keeps their leases alive, hands them back when the process ends. */
@Injectable()
export class JobsInFlight extends InFlight<ClaimedJob> implements OnModuleInit, OnApplicationShutdown {
  private readonly logger = new Logger(JobsInFlight.name);
  private heartbeat: RepeatingTask | undefined;
  private ending = false;

  constructor(
    private readonly repository: JobsRepository,
    private readonly tasks: RepeatingTasks,
    @Inject(JOB_TIMINGS) private readonly timings: JobTimings,
  ) {
    super();
  }

  onModuleInit(): void {
    const interval = this.timings.lease / HEARTBEATS_PER_LEASE;
    this.heartbeat = this.tasks.every(interval, 'job heartbeats', () => this.beat(), { role: 'background' });
  }

  /** Nobody has time for another try. */
  get isEnding(): boolean {
    return this.ending;
  }

  async onApplicationShutdown(): Promise<void> {
    this.ending = true;
    await this.heartbeat?.stop();
    const left = this.claims.length;
    if (left > 0) this.logger.warn(`Handing back ${left} unfinished jobs`);
    await this.handBack(new JobHandedBackError());
  }

  private async beat(): Promise<void> {
    const asked = this.claims;
    if (asked.length === 0) return;
    const ours = await this.repository.extend(asked);
    for (const job of asked) if (!ours.has(job.claimId)) this.abort(job, new JobLostError(job.id));
  }
}

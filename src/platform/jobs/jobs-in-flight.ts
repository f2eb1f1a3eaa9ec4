import { Inject, Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import { HEARTBEATS_PER_LEASE, InFlight } from '../lease/index.js';
import { Every } from '../schedule/index.js';
import { JobHandedBackError, JobLostError } from './job.errors.js';
import { JOB_TIMINGS, type JobTimings } from './job-timings.js';
import { type ClaimedJob, JobsRepository } from './jobs.repository.js';

/** The jobs this process is working on: keeps their leases alive, hands them back when the process ends. */
@Injectable()
export class JobsInFlight extends InFlight<ClaimedJob> implements OnApplicationShutdown {
  private readonly logger = new Logger(JobsInFlight.name);
  private ending = false;

  constructor(
    private readonly repository: JobsRepository,
    @Inject(JOB_TIMINGS) private readonly timings: JobTimings,
  ) {
    super();
  }

  /** Nobody has time for another try. */
  get isEnding(): boolean {
    return this.ending;
  }

  async onApplicationShutdown(): Promise<void> {
    this.ending = true;
    const left = this.claims.length;
    if (left > 0) this.logger.warn(`Handing back ${left} unfinished jobs`);
    await this.handBack(new JobHandedBackError());
  }

  @Every((jobs: JobsInFlight) => jobs.timings.lease / HEARTBEATS_PER_LEASE, {
    name: 'job heartbeats',
    role: 'background',
    whileDraining: true,
  })
  async beat(): Promise<void> {
    const asked = this.claims;
    if (asked.length === 0) return;
    const ours = await this.repository.extend(asked);
    for (const job of asked) if (!ours.has(job.claimId)) this.abort(job, new JobLostError(job.id));
  }
}

import { Inject, Injectable } from '@nestjs/common';
import { Every } from '../schedule/index.js';
import { InFlight } from '../work-queue/index.js';
import { type ClaimedJob, JobsRepository } from './jobs.repository.js';

/** The jobs this process is working on. */
@Injectable()
export class JobsInFlight extends InFlight<ClaimedJob> {
  constructor(@Inject(JobsRepository) repository: JobsRepository) {
    super(repository);
  }

  @Every((jobs: JobsInFlight) => jobs.heartbeat, { name: 'job heartbeats', role: 'background', whileDraining: true })
  override beat(): Promise<void> {
    return super.beat();
  }
}

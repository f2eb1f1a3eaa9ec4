import { type BeforeApplicationShutdown, Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { Every, RepeatingTasks } from '../schedule/index.js';
import { RunningWork } from '../work-queue/index.js';
import { JobHandlers } from './job-handlers.js';
import { JobMetrics } from './job-metrics.js';
import { JobRunner } from './job-runner.js';
import { JOB_TIMINGS, type JobTimings } from './job-timings.js';
import { JobsRepository, type Room } from './jobs.repository.js';

const POLL = 'due jobs';

/**
 * Claims due jobs and runs them, of each kind a bounded number at a time. Found by its own poll and by nothing else:
 * see `Jobs`. Jobs of kinds that nobody handles here are left to other processes.
 */
@Injectable()
export class JobWorker implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly running = new RunningWork();

  constructor(
    private readonly handlers: JobHandlers,
    private readonly repository: JobsRepository,
    private readonly runner: JobRunner,
    private readonly metrics: JobMetrics,
    private readonly tasks: RepeatingTasks,
    @Inject(JOB_TIMINGS) private readonly timings: JobTimings,
  ) {}

  onApplicationBootstrap(): void {
    for (const kind of this.handlers.all.keys()) this.metrics.know(kind);
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.running.drain(this.timings.drain);
  }

  @Every((worker: JobWorker) => worker.timings.poll, { name: POLL, role: 'background' })
  async claimWhatThereIsRoomFor(): Promise<void> {
    const room = this.room();
    if (room.length === 0) return;
    for (const job of await this.repository.claim(room)) {
      const handler = this.handlers.find(job.kind);
      if (handler === undefined) continue;
      // A backlog is worked off at its own pace, not at that of the poll.
      this.running.add(this.runner.run(job, handler), () => void this.tasks.run(POLL), job.kind);
    }
  }

  private room(): Room[] {
    return [...this.handlers.all]
      .map(([kind, { options }]) => ({ kind, free: options.concurrency - this.running.of(kind) }))
      .filter(({ free }) => free > 0);
  }
}

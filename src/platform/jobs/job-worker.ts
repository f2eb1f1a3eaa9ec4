import { type BeforeApplicationShutdown, Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { Every, RepeatingTasks } from '../schedule/index.js';
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
  private readonly running = new Set<Promise<unknown>>();
  private readonly runningOfKind = new Map<string, number>();

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

  /** What is running may finish; what does not within the bound is handed back by `JobsInFlight`. */
  async beforeApplicationShutdown(): Promise<void> {
    const bound = new Promise((resolve) => setTimeout(resolve, this.timings.drain).unref());
    await Promise.race([Promise.allSettled(this.running), bound]);
  }

  @Every((worker: JobWorker) => worker.timings.poll, { name: POLL, role: 'background' })
  async claimWhatThereIsRoomFor(): Promise<void> {
    const room = this.room();
    if (room.length === 0) return;
    for (const job of await this.repository.claim(room)) {
      const handler = this.handlers.find(job.kind);
      if (handler === undefined) continue;
      this.count(job.kind, 1);
      const run = this.runner.run(job, handler).finally(() => {
        this.running.delete(run);
        this.count(job.kind, -1);
        // A backlog is worked off at its own pace, not at that of the poll.
        void this.tasks.run(POLL);
      });
      this.running.add(run);
    }
  }

  private room(): Room[] {
    return [...this.handlers.all]
      .map(([kind, { options }]) => ({ kind, free: options.concurrency - (this.runningOfKind.get(kind) ?? 0) }))
      .filter(({ free }) => free > 0);
  }

  private count(kind: string, change: 1 | -1): void {
    this.runningOfKind.set(kind, (this.runningOfKind.get(kind) ?? 0) + change);
  }
}

import { Inject, Injectable, Logger, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { setTimeout as delay } from 'node:timers/promises';
import { type RepeatingTask, RepeatingTasks } from '../schedule/index.js';
import { JobHandedBackError, JobLostError } from './job.errors.js';
import { JOB_TIMINGS, type JobTimings } from './job-timings.js';
import { type ClaimedJob, JobsRepository } from './jobs.repository.js';

/** A lease survives two missed heartbeats. */
const HEARTBEATS_PER_LEASE = 3;
/** How long an aborted attempt may take to end before the process ends all the same. */
const HAND_BACK_MS = 3000;

interface Held {
  job: ClaimedJob;
  controller: AbortController;
  done: Promise<void>;
  markDone: () => void;
}

/** The jobs this process is working on: keeps their leases alive, hands them back when the process ends. */
@Injectable()
export class JobsInFlight implements OnModuleInit, OnApplicationShutdown {
  private readonly logger = new Logger(JobsInFlight.name);
  private heartbeat: RepeatingTask | undefined;
  private readonly held = new Map<string, Held>();
  private ending = false;

  constructor(
    private readonly repository: JobsRepository,
    private readonly tasks: RepeatingTasks,
    @Inject(JOB_TIMINGS) private readonly timings: JobTimings,
  ) {}

  onModuleInit(): void {
    const interval = this.timings.lease / HEARTBEATS_PER_LEASE;
    this.heartbeat = this.tasks.every(interval, 'job heartbeats', () => this.beat(), { role: 'background' });
  }

  /** Nobody has time for another try. */
  get isEnding(): boolean {
    return this.ending;
  }

  /** @returns aborted when the process ends or the claim is lost; the caller also aborts it when the time is up */
  hold(job: ClaimedJob): AbortController {
    const controller = new AbortController();
    let markDone = (): void => undefined;
    const done = new Promise<void>((resolve) => (markDone = resolve));
    this.held.set(job.claimId, { job, controller, done, markDone });
    return controller;
  }

  drop(job: ClaimedJob): void {
    this.held.get(job.claimId)?.markDone();
    this.held.delete(job.claimId);
  }

  async onApplicationShutdown(): Promise<void> {
    this.ending = true;
    await this.heartbeat?.stop();
    const left = [...this.held.values()];
    if (left.length === 0) return;
    this.logger.warn(`Handing back ${left.length} unfinished jobs`);
    for (const { controller } of left) controller.abort(new JobHandedBackError());
    await Promise.race([Promise.all(left.map(({ done }) => done)), delay(HAND_BACK_MS, undefined, { ref: false })]);
  }

  private async beat(): Promise<void> {
    const asked = [...this.held.values()];
    if (asked.length === 0) return;
    const ours = await this.repository.extend(asked.map(({ job }) => job));
    for (const { job, controller } of asked) {
      // One that has ended meanwhile is not lost, and nobody listens to its signal any more.
      if (!ours.has(job.claimId)) controller.abort(new JobLostError(job.id));
    }
  }
}

import { Injectable } from '@nestjs/common';
import { Every } from '../../../platform/schedule/index.js';
import { READ_COMMITTED, Transactor } from '../../../platform/transaction/index.js';
import { EventsRepository } from '../events/events.repository.js';
import { WebhookWorker } from '../processing/webhook-worker.js';
import { ReplayJobsRepository } from './replay-jobs.repository.js';

/** A job moves in slices of this length, each within its rate. */
const SLICE_MS = 1000;
const POLL_MS = 250;

/**
 * Carries out replay jobs. Each slice is one transaction: the events become due and the job's progress moves together,
 * so that a crash repeats nothing and skips nothing.
 */
@Injectable()
export class ReplayRunner {
  constructor(
    private readonly jobs: ReplayJobsRepository,
    private readonly events: EventsRepository,
    private readonly transactor: Transactor,
    private readonly worker: WebhookWorker,
  ) {}

  @Every(POLL_MS, { name: 'replay jobs', role: 'background' })
  async work(): Promise<void> {
    if (await this.runSlice()) this.worker.ring();
  }

  /** @returns whether any event became due */
  private runSlice(): Promise<boolean> {
    return this.transactor.run(async (tx) => {
      const job = await this.jobs.takeDue(tx, SLICE_MS);
      if (!job) return false;
      const limit = Math.max(1, Math.floor((job.ratePerSecond * SLICE_MS) / 1000));
      const ids = await this.jobs.nextEvents(tx, job, limit);
      const replayed = ids.length === 0 ? [] : await this.events.replay(tx, ids);
      await this.jobs.advance(tx, job, {
        examined: ids.length,
        replayed: replayed.length,
        last: ids.at(-1) ?? null,
        done: ids.length < limit,
      });
      return replayed.length > 0;
    }, READ_COMMITTED);
  }
}

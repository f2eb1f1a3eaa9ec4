import { Injectable } from '@nestjs/common';
import { Metrics } from '../metrics/index.js';
import { JobQueueRepository, type QueueLength } from './job-queue.repository.js';

/** How an attempt ended, or what became of a job without one; docs/operations.md says what each means. */
export type JobOutcome =
  'done' | 'retried' | 'given_up' | 'expired' | 'abandoned' | 'lost' | 'handed_back' | 'unreadable' | 'postponed';

/** Those that alerts hang on: a counter that appears with its first value has no increase. */
const FROM_THE_START: readonly JobOutcome[] = ['done', 'given_up', 'expired', 'abandoned', 'unreadable'];

@Injectable()
export class JobMetrics {
  private readonly outcomes;

  constructor(metrics: Metrics, repository: JobQueueRepository) {
    this.outcomes = metrics.counter('holdfast_jobs_finished_total', 'Attempts on jobs by how they ended', [
      'kind',
      'outcome',
    ]);
    let reading: Promise<QueueLength> | undefined;
    // One query for both gauges: they are collected at the same time, and each sees what is so now.
    const queue = () => (reading ??= repository.length().finally(() => (reading = undefined)));
    metrics.gauge('holdfast_jobs_queue_depth', 'Jobs not finished yet', ['state'], async (gauge) => {
      const { waiting, running } = await queue();
      gauge.set({ state: 'waiting' }, waiting);
      gauge.set({ state: 'running' }, running);
    });
    metrics.gauge('holdfast_jobs_oldest_due_seconds', 'How long the oldest due job has waited', [], async (gauge) => {
      // Unknown while the database is away, rather than what it was before.
      gauge.set(NaN);
      gauge.set((await queue()).age);
    });
  }

  know(kind: string): void {
    for (const outcome of FROM_THE_START) this.outcomes.inc({ kind, outcome }, 0);
  }

  finished(kind: string, outcome: JobOutcome): void {
    this.outcomes.inc({ kind, outcome });
  }
}

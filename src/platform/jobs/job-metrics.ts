import { Injectable } from '@nestjs/common';
import { Metrics } from '../metrics/index.js';
import { showQueue } from '../work-queue/index.js';
import { JobsRepository } from './jobs.repository.js';

/** How an attempt ended, or what became of a job without one; docs/operations.md says what each means. */
export type JobOutcome =
  'done' | 'retried' | 'given_up' | 'expired' | 'abandoned' | 'lost' | 'handed_back' | 'unreadable' | 'postponed';

/** Those that alerts hang on: a counter that appears with its first value has no increase. */
const FROM_THE_START: readonly JobOutcome[] = ['done', 'given_up', 'expired', 'abandoned', 'unreadable'];

@Injectable()
export class JobMetrics {
  private readonly outcomes;

  constructor(metrics: Metrics, repository: JobsRepository) {
    this.outcomes = metrics.counter('holdfast_jobs_finished_total', 'Attempts on jobs by how they ended', [
      'kind',
      'outcome',
    ]);
    showQueue(metrics, 'holdfast_jobs', repository);
  }

  know(kind: string): void {
    for (const outcome of FROM_THE_START) this.outcomes.inc({ kind, outcome }, 0);
  }

  finished(kind: string, outcome: JobOutcome): void {
    this.outcomes.inc({ kind, outcome });
  }
}

import { Injectable } from '@nestjs/common';
import type { JobOptions, OutsideWork, TransactionalWork } from './job.js';

const DEFAULTS: Required<JobOptions> = {
  maxAttempts: 10,
  backoff: { baseMs: 1000, capMs: 15 * 60_000 },
  timeoutMs: 30_000,
  concurrency: 2,
};

export type JobWork =
  | { readonly inTransaction: true; readonly work: TransactionalWork }
  | { readonly inTransaction: false; readonly work: OutsideWork };

export type JobHandler = JobWork & { readonly options: Required<JobOptions> };

/** Who does what in this process. */
@Injectable()
export class JobHandlers {
  private readonly handlers = new Map<string, JobHandler>();

  /** @throws TypeError for a second handler of one kind */
  register(kind: string, work: JobWork, options: JobOptions): void {
    if (this.handlers.has(kind)) throw new TypeError(`There are two handlers for jobs of the kind "${kind}"`);
    this.handlers.set(kind, { ...work, options: { ...DEFAULTS, ...options } });
  }

  find(kind: string): JobHandler | undefined {
    return this.handlers.get(kind);
  }

  get all(): ReadonlyMap<string, JobHandler> {
    return this.handlers;
  }
}

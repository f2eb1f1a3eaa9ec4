import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { JobHandlers } from './job-handlers.js';
import type { JobOptions, NewJob, OutsideWork, TransactionalWork } from './job.js';
import { JobsRepository } from './jobs.repository.js';

/**
 * Work to be done after the transaction that asks for it, by whichever process comes to it. A job exists if and only if
 * that transaction committed. Nothing is woken by it: a worker's own poll finds it, so that what a job does cannot be
 * measured in the answer to the request that enqueued it.
 */
@Injectable()
export class Jobs {
  constructor(
    private readonly repository: JobsRepository,
    private readonly handlers: JobHandlers,
  ) {}

  /**
   * @returns their ids, in order
   * @throws RangeError for an expiry that is no time
   */
  enqueue(tx: EntityManager, jobs: readonly NewJob[]): Promise<string[]> {
    return this.repository.insert(tx, jobs);
  }

  /**
   * For work whose effect is in the database: it commits together with the job's end, once. To be called in
   * `onModuleInit`. The work may run again (retries, serialization failures), so it has no effect outside `tx`.
   */
  handleInTransaction(kind: string, work: TransactionalWork, options: JobOptions = {}): void {
    this.handlers.register(kind, { inTransaction: true, work }, options);
  }

  /**
   * For work that lies outside the database: done at least once, and again after a crash at the wrong moment. To be
   * called in `onModuleInit`.
   */
  handle(kind: string, work: OutsideWork, options: JobOptions = {}): void {
    this.handlers.register(kind, { inTransaction: false, work }, options);
  }
}

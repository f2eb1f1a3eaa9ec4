import { Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { type RepeatingTask, RepeatingTasks } from '../schedule/index.js';
import { Transactor } from '../transaction/index.js';

const INTERVAL_MS = 10_000;
/** Some 10 ms of the database's time each. */
const BATCH = 1000;

/**
 * A record that is being worked on stays, and one that another process removes right now is skipped. Index:
 * idempotency_records_expires_at_idx.
 */
const REMOVE = `
  DELETE FROM idempotency_records
  WHERE ctid = ANY (ARRAY (
    SELECT ctid
    FROM idempotency_records
    WHERE expires_at <= now() AND (locked_until IS NULL OR locked_until <= now())
    ORDER BY expires_at
    LIMIT $1
    FOR UPDATE SKIP LOCKED
  ))`;

/** Removes what has expired. Nothing waits for it: an expired record counts as gone wherever it is met. */
@Injectable()
export class ExpiredRecords implements OnApplicationBootstrap, OnModuleDestroy {
  private task: RepeatingTask | undefined;

  constructor(
    private readonly transactor: Transactor,
    private readonly tasks: RepeatingTasks,
  ) {}

  onApplicationBootstrap(): void {
    this.task = this.tasks.sweep(INTERVAL_MS, 'expired idempotency records', BATCH, (limit) => this.remove(limit));
  }

  async onModuleDestroy(): Promise<void> {
    await this.task?.stop();
  }

  /** @returns how many were removed, `limit` at most */
  remove(limit: number): Promise<number> {
    return this.transactor.affected(REMOVE, [limit]);
  }
}

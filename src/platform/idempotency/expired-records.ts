import { Injectable } from '@nestjs/common';
import { Every } from '../schedule/index.js';
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
export class ExpiredRecords {
  constructor(private readonly transactor: Transactor) {}

  /** @returns how many were removed, `limit` at most */
  @Every(INTERVAL_MS, { name: 'expired idempotency records', role: 'background', batch: BATCH })
  remove(limit: number): Promise<number> {
    return this.transactor.affected(REMOVE, [limit]);
  }
}

import { Injectable } from '@nestjs/common';
import { Transactor } from '../transaction/index.js';
import { lockedRows } from '../work-queue/index.js';

const EXPIRED = 'It was not done before it expired';

/** Past their expiry, and nobody works on them. Index: jobs_expires_at_idx. */
const EXPIRED_JOBS = lockedRows(
  'id',
  'jobs',
  `expires_at <= now() AND due_at IS NOT NULL AND (state = 'WAITING' OR due_at <= now())`,
  'expires_at',
  '$1',
);

/** The last error of theirs says why it came to that. */
const GIVE_UP_EXPIRED = `
  WITH expired AS MATERIALIZED (${EXPIRED_JOBS}),
  given_up AS (
    UPDATE jobs
    SET
      state = 'GIVEN_UP', payload = NULL, due_at = NULL, claim_id = NULL, claimed_by = NULL,
      given_up_at = clock_timestamp(), error = concat_ws('. ', $2::text, error)
    WHERE id IN (SELECT id FROM expired)
    RETURNING id, kind, attempts, abandoned, error
  )
  SELECT * FROM given_up`;

export interface ExpiredJob {
  id: string;
  kind: string;
  attempts: number;
  abandoned: number;
  error: string;
}

/** Index: jobs_given_up_at_idx. */
const REMOVE_GIVEN_UP = `
  DELETE FROM jobs
  WHERE id = ANY (ARRAY (
    SELECT id
    FROM jobs
    WHERE given_up_at < now() - $1 * interval '1 day'
    ORDER BY given_up_at
    LIMIT $2
    FOR UPDATE SKIP LOCKED
  ))`;

/** The queue as a whole, whoever works on it; safe on many replicas at once. All times are the database's. */
@Injectable()
export class JobQueueRepository {
  constructor(private readonly transactor: Transactor) {}

  /** @returns those it gave up, `limit` at most */
  giveUpExpired(limit: number): Promise<ExpiredJob[]> {
    return this.transactor.statement<ExpiredJob>(GIVE_UP_EXPIRED, [limit, EXPIRED]);
  }

  /** @returns how many were removed that were given up so many days ago, `limit` at most */
  removeGivenUp(days: number, limit: number): Promise<number> {
    return this.transactor.affected(REMOVE_GIVEN_UP, [days, limit]);
  }
}

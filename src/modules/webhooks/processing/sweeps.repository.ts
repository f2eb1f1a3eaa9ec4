import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { lockedRows } from '../../../platform/work-queue/index.js';
import type { DeadLetter } from './dead-letters.js';
import { settling } from './settling.js';

export interface AbandonedEvent extends DeadLetter {
  status: 'FAILED' | 'DEAD_LETTER';
}

/** Index: webhook_events_due_idx. */
const expired = (columns: string) =>
  lockedRows(columns, 'webhook_events', `next_attempt_at <= now() AND status = 'PROCESSING'`, 'next_attempt_at', '$1');

/** Their worker died between the commit of their attempt and telling so. */
const SETTLE_EXPIRED = settling(`event.id IN (${expired('id')})`);

/**
 * Claims whose lease has ended: their worker died or hangs. It counts as an attempt, so that an event that kills its
 * worker each time ends as a dead letter instead of going round for ever; and with the row of that attempt in place, a
 * worker that comes back can record none. The insert waits for a worker that is recording right now and gives way to it; the
 * next sweep settles its event. Several sweepers share the work.
 */
const RECOVER = `
  WITH expired AS MATERIALIZED (${expired('id, attempts + 1 AS attempt, claimed_at, claimed_by')}),
  abandoned AS (
    INSERT INTO webhook_attempts (event, attempt, outcome, error, started_at, duration_ms, worker)
    SELECT
      id, attempt, 'abandoned', $2, claimed_at,
      least(extract(epoch FROM now() - claimed_at) * 1000, 2147483647)::integer, claimed_by
    FROM expired
    ON CONFLICT DO NOTHING
    RETURNING event
  ),
  recovered AS (
    UPDATE webhook_events AS event
    SET
      status = CASE WHEN retry_count < max_retries THEN 'FAILED' ELSE 'DEAD_LETTER' END,
      retry_count = least(retry_count + 1, max_retries),
      next_attempt_at = CASE WHEN retry_count < max_retries THEN now() END,
      error_message = $2, attempts = attempts + 1,
      claim_id = NULL, claimed_by = NULL, claimed_at = NULL, updated_at = now()
    WHERE id IN (SELECT event FROM abandoned)
    RETURNING id, source, event_id, status, attempts
  )
  SELECT id, source, event_id AS "eventId", status, attempts, $2 AS error FROM recovered`;

const ABANDONED = 'The worker did not finish before its lease ended: it was killed, or hangs';

/**
 * Finished events past the retention leave in small bites with their attempts; conflicts go by foreign key. Not those of the
 * last hour: a worker that was stopped for so long may still come back, and the row of its attempt is what stops it.
 */
const REMOVE_OLD = `
  WITH old AS MATERIALIZED (
    SELECT id
    FROM webhook_events
    WHERE created_at < now() - $1 * interval '1 day' AND next_attempt_at IS NULL AND status <> 'DEAD_LETTER'
      AND updated_at < now() - interval '1 hour'
    ORDER BY created_at
    LIMIT $2
    FOR UPDATE SKIP LOCKED
  ),
  attempts AS (
    DELETE FROM webhook_attempts WHERE event IN (SELECT id FROM old)
  )
  DELETE FROM webhook_events WHERE id IN (SELECT id FROM old) RETURNING id`;

/** The housekeeping statements; each is safe to run on every replica at once. */
@Injectable()
export class SweepsRepository {
  async recoverAbandoned(tx: EntityManager, limit: number): Promise<AbandonedEvent[]> {
    await tx.query(SETTLE_EXPIRED, [limit]);
    return tx.query<AbandonedEvent[]>(RECOVER, [limit, ABANDONED]);
  }

  /** @returns how many were removed. Index: webhook_events_created_at_idx */
  async removeOld(tx: EntityManager, retentionDays: number, limit: number): Promise<number> {
    const [rows] = await tx.query<[unknown[], number]>(REMOVE_OLD, [retentionDays, limit]);
    return rows.length;
  }
}

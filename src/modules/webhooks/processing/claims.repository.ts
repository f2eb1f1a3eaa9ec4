import { Inject, Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { CONFIG, type Config } from '../../../config/index.js';
import { PROCESS_NAME } from '../../../kernel/process-name.js';
import { isUniqueViolation } from '../../../platform/database/index.js';
import { Transactor } from '../../../platform/transaction/index.js';
import type { ProviderName } from '../providers/webhook-provider.js';
import type { EventMetadata } from '../events/webhook-event.entity.js';
import type { AttemptOutcome } from '../events/webhook-attempt.entity.js';
import type { Verdict } from './verdict.js';

/** An event this process may work on until its lease ends. */
export interface ClaimedEvent {
  id: string;
  claimId: string;
  /** Where its row lies (`ctid`); a heartbeat moves it. */
  place: string;
  source: string;
  provider: ProviderName;
  eventId: string;
  eventType: string;
  rawBody: Buffer;
  metadata: EventMetadata;
  orderingKey: string | null;
  occurredAt: Date | null;
  receivedAt: Date;
  retryCount: number;
  maxRetries: number;
  /** Attempts before this one. */
  attempts: number;
}

export interface Attempt {
  outcome: AttemptOutcome;
  durationMs: number;
  error: string | null;
}

const COLUMNS = `
  id, claim_id AS "claimId", ctid::text AS place, source, provider, event_id AS "eventId", event_type AS "eventType",
  raw_body AS "rawBody", metadata, ordering_key AS "orderingKey", occurred_at AS "occurredAt",
  created_at AS "receivedAt", retry_count AS "retryCount", max_retries AS "maxRetries", attempts`;

/**
 * Index: webhook_events_due_idx; PROCESSING rows are in it too (their lease) and are left to the sweep. An ordered
 * event waits while an older one of its entity is unfinished, or a newer one is running that was stored before it
 * (webhook_events_ordering_idx).
 */
const CLAIM = `
  WITH due AS MATERIALIZED (
    SELECT id
    FROM webhook_events AS candidate
    WHERE next_attempt_at <= now()
      AND status IN ('PENDING', 'FAILED')
      AND (
        ordering_key IS NULL
        OR NOT EXISTS (
          SELECT 1
          FROM webhook_events AS other
          WHERE other.source = candidate.source
            AND other.ordering_key = candidate.ordering_key
            AND other.next_attempt_at IS NOT NULL
            AND (other.id < candidate.id OR other.status = 'PROCESSING')
        )
      )
    ORDER BY next_attempt_at
    LIMIT $1
    FOR UPDATE SKIP LOCKED
  )
  UPDATE webhook_events
  SET
    status = 'PROCESSING', claim_id = gen_random_uuid(), claimed_by = $2, claimed_at = now(),
    next_attempt_at = now() + $3 * interval '1 millisecond', updated_at = now()
  WHERE id IN (SELECT id FROM due)
  RETURNING ${COLUMNS}`;

const CLAIM_ONE = `SELECT ${COLUMNS} FROM webhook_events WHERE id = $1 AND claim_id = $2`;

/** Only the holder of the claim completes: a worker that came back late finds no row. By place for the reason in BEGIN. */
const COMPLETE = `
  WITH done AS (
    UPDATE webhook_events
    SET
      status = $3, processed = ($3 = 'PROCESSED'),
      processed_at = CASE WHEN $3 = 'PROCESSED' THEN clock_timestamp() END,
      processing_time_ms = $4, error_message = NULL, attempts = attempts + 1,
      next_attempt_at = NULL, claim_id = NULL, claimed_by = NULL, claimed_at = NULL, updated_at = now()
    WHERE ctid = $7::tid AND id = $1 AND claim_id = $2
    RETURNING id, attempts
  )
  INSERT INTO webhook_attempts (event, attempt, outcome, started_at, duration_ms, worker)
  SELECT id, attempts, $5, clock_timestamp() - $4 * interval '1 millisecond', $4, $6
  FROM done
  RETURNING event`;

const FAIL = `
  WITH failed AS (
    UPDATE webhook_events
    SET
      status = $3, retry_count = retry_count + $9,
      error_message = $4, attempts = attempts + 1,
      next_attempt_at = CASE WHEN $3 = 'FAILED' THEN clock_timestamp() + $5 * interval '1 millisecond' END,
      claim_id = NULL, claimed_by = NULL, claimed_at = NULL, updated_at = now()
    WHERE id = $1 AND claim_id = $2
    RETURNING id, attempts
  )
  INSERT INTO webhook_attempts (event, attempt, outcome, error, started_at, duration_ms, worker)
  SELECT id, attempts, $6, $4, clock_timestamp() - $7 * interval '1 millisecond', $7, $8
  FROM failed
  RETURNING event`;

/**
 * The first statement of an attempt's transaction: takes the event's row for as long as the attempt lasts, so that
 * neither heartbeat nor sweep changes it underneath (each change would be a serialization failure at the end), and lets
 * PostgreSQL itself end the attempt of a worker that hangs or is cut off.
 *
 * By place: to PostgreSQL a SERIALIZABLE transaction that finds a row through a b-tree has read the whole index page,
 * and completing any other event writes to that page. Found by id, forty events that had nothing to do with each other
 * made 179 serialization failures and a third of them failed; found by place, none.
 */
const BEGIN = `
  SELECT set_config('statement_timeout', $3, true), set_config('idle_in_transaction_session_timeout', $4, true)
  FROM webhook_events
  WHERE ctid = $5::tid AND id = $1 AND claim_id = $2
  FOR NO KEY UPDATE`;

const LOCATE = `SELECT ctid::text AS place FROM webhook_events WHERE id = $1 AND claim_id = $2`;

/** Heartbeat. An event whose attempt has its transaction open is locked: that is a better sign of life than this one. */
const EXTEND = `
  WITH held AS MATERIALIZED (
    SELECT id
    FROM webhook_events
    WHERE id = ANY ($1::uuid[]) AND claim_id = ANY ($2::uuid[])
    FOR NO KEY UPDATE SKIP LOCKED
  )
  UPDATE webhook_events
  SET next_attempt_at = now() + $3 * interval '1 millisecond'
  WHERE id IN (SELECT id FROM held)`;

/** Handed back, an event is as it was before the claim: it costs no retry. */
const RELEASE = `
  UPDATE webhook_events
  SET
    status = CASE WHEN retry_count > 0 THEN 'FAILED' ELSE 'PENDING' END,
    next_attempt_at = now(), claim_id = NULL, claimed_by = NULL, claimed_at = NULL, updated_at = now()
  WHERE id = $1 AND claim_id = $2`;

/** Index: webhook_events_ordering_done_idx. */
const IS_STALE = `
  SELECT EXISTS (
    SELECT 1
    FROM webhook_events
    WHERE source = $1 AND ordering_key = $2 AND occurred_at > $3 AND status = 'PROCESSED'
  ) AS stale`;

/** Claims on due events: who may work on what, until when. All times are the database's. */
@Injectable()
export class ClaimsRepository {
  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly dataSource: DataSource,
    private readonly transactor: Transactor,
  ) {}

  /**
   * Claims up to `limit` due events, oldest due first, skipping what others are claiming. None when somebody claimed
   * another event of the same entity in the same moment (webhook_events_ordering_running_key): look again later.
   */
  async claim(limit: number): Promise<ClaimedEvent[]> {
    const parameters = [limit, PROCESS_NAME, this.config.WEBHOOK_LEASE_MS];
    try {
      const [events] = await this.dataSource.query<[ClaimedEvent[], number]>(CLAIM, parameters);
      return events;
    } catch (error) {
      if (isUniqueViolation(error)) return [];
      throw error;
    }
  }

  /** The event of a claim that was made when it was stored (inline sources). */
  async claimed(id: string, claimId: string): Promise<ClaimedEvent | undefined> {
    const [event] = await this.dataSource.query<ClaimedEvent[]>(CLAIM_ONE, [id, claimId]);
    return event;
  }

  /** @returns false when the claim was lost: the caller must roll back */
  async complete(
    tx: EntityManager,
    event: ClaimedEvent,
    status: 'PROCESSED' | 'IGNORED',
    ms: number,
  ): Promise<boolean> {
    const rows = await tx.query<unknown[]>(COMPLETE, [
      event.id,
      event.claimId,
      status,
      ms,
      status.toLowerCase(),
      PROCESS_NAME,
      event.place,
    ]);
    return rows.length === 1;
  }

  /** @returns false when the claim was lost: somebody else decides about the event now */
  async fail(tx: EntityManager, event: ClaimedEvent, verdict: Verdict, attempt: Attempt): Promise<boolean> {
    const rows = await tx.query<unknown[]>(FAIL, [
      event.id,
      event.claimId,
      verdict.status,
      attempt.error,
      verdict.status === 'FAILED' ? verdict.delayMs : 0,
      attempt.outcome,
      attempt.durationMs,
      PROCESS_NAME,
      verdict.status === 'FAILED' && verdict.usesRetry ? 1 : 0,
    ]);
    return rows.length === 1;
  }

  /** @returns the event with its row's present place; undefined when the claim was lost */
  async locate(event: ClaimedEvent): Promise<ClaimedEvent | undefined> {
    const [row] = await this.dataSource.query<{ place: string }[]>(LOCATE, [event.id, event.claimId]);
    return row && { ...event, ...row };
  }

  /**
   * Opens an attempt: from here on the row is locked by `tx`.
   *
   * @returns false when the row is not in its place any more: a heartbeat moved it, or the claim was lost
   */
  async begin(tx: EntityManager, event: ClaimedEvent): Promise<boolean> {
    const rows = await tx.query<unknown[]>(BEGIN, [
      event.id,
      event.claimId,
      String(this.config.WEBHOOK_PROCESSING_TIMEOUT_MS),
      String(this.config.WEBHOOK_LEASE_MS),
      event.place,
    ]);
    return rows.length === 1;
  }

  /** Heartbeat: another lease for every claim that is still ours. */
  async extend(events: readonly ClaimedEvent[]): Promise<void> {
    await this.transactor.statement(EXTEND, [
      events.map(({ id }) => id),
      events.map(({ claimId }) => claimId),
      this.config.WEBHOOK_LEASE_MS,
    ]);
  }

  async release(event: ClaimedEvent): Promise<void> {
    await this.transactor.statement(RELEASE, [event.id, event.claimId]);
  }

  /**
   * Whether an event of the same entity that happened later is done. Asked outside the attempt's transaction, for the
   * reason in BEGIN; the answer stands, because no other event of the entity can be claimed meanwhile.
   */
  async isStale({ source, orderingKey, occurredAt }: ClaimedEvent): Promise<boolean> {
    if (orderingKey === null || occurredAt === null) return false;
    const [row] = await this.dataSource.query<{ stale: boolean }[]>(IS_STALE, [source, orderingKey, occurredAt]);
    return row?.stale ?? false;
  }
}

import { Inject, Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { CONFIG, type Config } from '../../../config/index.js';
import { PROCESS_NAME } from '../../../kernel/process-name.js';
import { isUniqueViolation } from '../../../platform/database/index.js';
import { Transactor } from '../../../platform/transaction/index.js';
import {
  ClaimLostError,
  type Claimed,
  HEARTBEATS_PER_LEASE,
  idsOf,
  STILL_OURS,
  WorkQueue,
  type WorkTable,
} from '../../../platform/work-queue/index.js';
import type { ProviderName } from '../providers/webhook-provider.js';
import type { EventMetadata } from '../events/webhook-event.entity.js';
import type { AttemptOutcome } from '../events/webhook-attempt.entity.js';
import { settling } from './settling.js';
import type { Verdict } from './verdict.js';

/** An event this process may work on until its lease ends. */
export interface ClaimedEvent extends Claimed {
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

/**
 * Index: webhook_events_due_idx. Events whose lease has ended are left to the sweep. An ordered event waits while an older one
 * of its entity is unfinished, or a newer one is running that was stored before it (webhook_events_ordering_idx).
 */
const EVENTS: WorkTable = {
  table: 'webhook_events',
  noun: 'webhook event',
  dueAt: 'next_attempt_at',
  state: { column: 'status', running: 'PROCESSING' },
  takesOver: false,
  claimable: `
    ordering_key IS NULL
    OR NOT EXISTS (
      SELECT 1
      FROM webhook_events AS other
      WHERE other.source = work.source
        AND other.ordering_key = work.ordering_key
        AND other.next_attempt_at IS NOT NULL
        AND (other.id < work.id OR other.status = 'PROCESSING')
    )`,
  narrowed: {
    columns: 'octet_length(raw_body) AS bytes, retry_count > 0 AS was_tried',
    query: `
      SELECT id
      FROM (
        SELECT
          id, was_tried, sum(bytes) OVER earlier - bytes AS bytes_before,
          count(*) FILTER (WHERE was_tried) OVER earlier AS tried
        FROM due
        WINDOW earlier AS (ORDER BY due_at, id)
      ) AS counted
      WHERE bytes_before < $4 AND NOT (was_tried AND tried > $5)`,
  },
  onClaim: 'claimed_at = now(), updated_at = now()',
  columns: `
    source, provider, event_id AS "eventId", event_type AS "eventType", raw_body AS "rawBody", metadata,
    ordering_key AS "orderingKey", occurred_at AS "occurredAt", created_at AS "receivedAt", retry_count AS "retryCount",
    max_retries AS "maxRetries", attempts`,
};

/**
 * The last statement of an attempt's transaction. Two workers that both take an event for theirs write the same row here, and
 * its key lets one of them commit: this, and not the claim, is what makes an effect happen once. Whoever takes an event from
 * another (RECOVER, FAIL) writes that row, too.
 *
 * It reads nothing that others write. An UPDATE of the events here would: PostgreSQL notes for SERIALIZABLE what is read by
 * the page once it is more than two rows of one, and the pages that 25 events share with others made a third of such
 * transactions fail.
 */
const RECORD = `
  INSERT INTO webhook_attempts (event, attempt, outcome, started_at, duration_ms, worker)
  SELECT event, attempt, lower($3), clock_timestamp() - $4 * interval '1 millisecond', $4, $5
  FROM unnest($1::uuid[], $2::integer[]) AS done (event, attempt)`;

const SETTLE = settling('event.id = ANY ($1::uuid[])');

/** Nothing when the claim was lost, or the attempt has succeeded without anybody having been told. */
const FAIL = `
  WITH attempt AS (
    INSERT INTO webhook_attempts (event, attempt, outcome, error, started_at, duration_ms, worker)
    SELECT id, attempts + 1, $6, $4, clock_timestamp() - $7 * interval '1 millisecond', $7, $8
    FROM webhook_events
    WHERE id = $1 AND claim_id = $2
    FOR NO KEY UPDATE
    ON CONFLICT DO NOTHING
    RETURNING event
  )
  UPDATE webhook_events
  SET
    status = $3, retry_count = retry_count + $9, error_message = $4, attempts = attempts + 1,
    next_attempt_at = CASE WHEN $3 = 'FAILED' THEN clock_timestamp() + $5 * interval '1 millisecond' END,
    claim_id = NULL, claimed_by = NULL, claimed_at = NULL, updated_at = now()
  WHERE id IN (SELECT event FROM attempt)`;

/** Handed back, an event is as it was before the claim: it costs no retry. `WorkQueue` adds the WHERE. */
const RELEASE_HEAD = `
  UPDATE webhook_events
  SET
    status = CASE WHEN retry_count > 0 THEN 'FAILED' ELSE 'PENDING' END,
    next_attempt_at = now(), claim_id = NULL, claimed_by = NULL, claimed_at = NULL, updated_at = now()`;

/** Indexes: webhook_events_pkey, webhook_events_ordering_done_idx. */
const CURRENT = `
  SELECT
    id,
    ordering_key IS NOT NULL AND EXISTS (
      SELECT 1
      FROM webhook_events AS other
      WHERE
        other.source = event.source AND other.ordering_key = event.ordering_key
        AND other.occurred_at > event.occurred_at AND other.status = 'PROCESSED'
    ) AS stale
  FROM webhook_events AS event
  WHERE ${STILL_OURS}`;

/** Claims on due events: who may work on what, until when. All times are the database's. */
@Injectable()
export class ClaimsRepository extends WorkQueue<ClaimedEvent> {
  constructor(
    @Inject(CONFIG) private readonly config: Config,
    transactor: Transactor,
  ) {
    super(transactor, EVENTS, config.WEBHOOK_LEASE_MS);
  }

  /**
   * Claims due events, oldest due first, skipping what others are claiming. None when somebody claimed another event of the
   * same entity in the same moment (webhook_events_ordering_running_key): look again later.
   *
   * @param most in all
   * @param tried of those that were tried before, at most: they are to begin at once
   * @param bytes a claim ends with the event whose body reaches this
   */
  async claim(most: number, tried: number, bytes: number): Promise<ClaimedEvent[]> {
    try {
      return await this.claimDue(most, bytes, tried);
    } catch (error) {
      if (isUniqueViolation(error)) return [];
      throw error;
    }
  }

  /**
   * A silent transaction ends before the lease does, which was renewed within a third of it: no other worker begins while this
   * one might still write.
   */
  override bound(tx: EntityManager, timeoutMs: number, silenceMs = this.longestSilenceMs): Promise<void> {
    return super.bound(tx, timeoutMs, silenceMs);
  }

  /**
   * The events' mark, in the transaction of what their handlers wrote.
   *
   * @param ms that the handlers took for each
   * @throws ClaimLostError when one of them is not ours any more: all is rolled back
   */
  async record(
    tx: EntityManager,
    events: readonly ClaimedEvent[],
    status: 'PROCESSED' | 'IGNORED',
    ms: number,
  ): Promise<void> {
    const attempts = events.map((event) => event.attempts + 1);
    try {
      await tx.query(RECORD, [events.map(({ id }) => id), attempts, status, ms, PROCESS_NAME]);
    } catch (error) {
      if (isUniqueViolation(error)) throw new ClaimLostError(this.work.noun, error);
      throw error;
    }
  }

  /** Once what was recorded has committed. Until then the events are PROCESSING, with nobody allowed to process them. */
  async settle(events: readonly ClaimedEvent[]): Promise<void> {
    await this.transactor.statement(SETTLE, [events.map(({ id }) => id)]);
  }

  /** @returns false when the claim was lost: somebody else decides about the event now */
  async fail(tx: EntityManager, event: ClaimedEvent, verdict: Verdict, attempt: Attempt): Promise<boolean> {
    const [, failed] = await tx.query<[object[], number]>(FAIL, [
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
    return failed === 1;
  }

  async release(events: readonly ClaimedEvent[]): Promise<void> {
    await this.end(events, RELEASE_HEAD);
  }

  /**
   * Those that are still ours, and of each whether an event of the same entity that happened later is done. Asked outside the
   * attempt's transaction, for the reason in RECORD; the latter stands, because no other event of the entity can be claimed
   * meanwhile.
   *
   * @returns by id
   */
  async current(events: readonly ClaimedEvent[]): Promise<ReadonlyMap<string, { stale: boolean }>> {
    const rows = await this.transactor.statement<{ id: string; stale: boolean }>(CURRENT, idsOf(events));
    return new Map(rows.map((row) => [row.id, row]));
  }

  private get longestSilenceMs(): number {
    const { WEBHOOK_LEASE_MS: leaseMs, WEBHOOK_PROCESSING_TIMEOUT_MS: processingMs } = this.config;
    return Math.max(processingMs, Math.floor(leaseMs * (1 - 1 / HEARTBEATS_PER_LEASE)));
  }
}

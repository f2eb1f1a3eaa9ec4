import type { ProviderName } from '../providers/webhook-provider.js';
import { Check, Column, Entity, Index, PrimaryColumn } from 'typeorm';

export const EVENT_STATUSES = ['PENDING', 'PROCESSING', 'PROCESSED', 'FAILED', 'DEAD_LETTER', 'IGNORED'] as const;
/**
 * PENDING waits for its first attempt, PROCESSING is claimed by a worker, FAILED will be tried again, DEAD_LETTER has
 * used up its retries, IGNORED had neither handler nor route. All but PROCESSING can be replayed.
 */
export type EventStatus = (typeof EVENT_STATUSES)[number];

/** What surrounds the payload. */
export interface EventMetadata {
  /** Request headers, credentials and signatures redacted. */
  headers: Record<string, string>;
  /** `/webhooks/:source/:topic` */
  topic?: string;
  /** Unix milliseconds, where the provider signs a time. */
  signedAt?: number;
  /** What several events may have come from (Shopify's event id). */
  causeId?: string;
}

/** One verified event, stored before its sender reads 2xx. The unique keys are what makes a duplicate a duplicate. */
@Entity('webhook_events')
// The id first, so that the key also serves a search by event id alone.
@Index('webhook_events_event_id_source_key', ['eventId', 'source'], { unique: true })
@Index('webhook_events_idempotency_key_source_key', ['idempotencyKey', 'source'], { unique: true })
@Index('webhook_events_event_type_idx', ['eventType', 'id'])
@Index('webhook_events_status_idx', ['status', 'id'])
@Index('webhook_events_created_at_idx', ['createdAt'])
@Index('webhook_events_due_idx', ['nextAttemptAt'], { where: `"next_attempt_at" IS NOT NULL` })
@Index('webhook_events_ordering_idx', ['source', 'orderingKey', 'id'], {
  where: `"ordering_key" IS NOT NULL AND "next_attempt_at" IS NOT NULL`,
})
// Of one entity's events one runs at a time, whoever claims them.
@Index('webhook_events_ordering_running_key', ['source', 'orderingKey'], {
  unique: true,
  where: `"ordering_key" IS NOT NULL AND "status" = 'PROCESSING'`,
})
@Index('webhook_events_ordering_done_idx', ['source', 'orderingKey', 'occurredAt'], {
  where: `"ordering_key" IS NOT NULL AND "status" = 'PROCESSED'`,
})
@Check(
  'webhook_events_status_check',
  `"status" IN ('PENDING', 'PROCESSING', 'PROCESSED', 'FAILED', 'DEAD_LETTER', 'IGNORED')`,
)
@Check('webhook_events_processed_check', `"processed" = ("status" = 'PROCESSED')`)
@Check(
  'webhook_events_due_check',
  `("next_attempt_at" IS NOT NULL) = ("status" IN ('PENDING', 'PROCESSING', 'FAILED'))`,
)
@Check('webhook_events_claim_check', `("claim_id" IS NOT NULL) = ("status" = 'PROCESSING')`)
export class WebhookEvent {
  @PrimaryColumn({ type: 'uuid', primaryKeyConstraintName: 'webhook_events_pkey' })
  id: string;

  /** No foreign key: events outlive their source. */
  @Column({ type: 'text' })
  source: string;

  /** Of the source when the event came in: which handlers it has does not change when the source does. */
  @Column({ type: 'text' })
  provider: ProviderName;

  /** `<eventId>_<eventType>`; where another event's reads the same (`a_b` + `c`, `a` + `b_c`), `:<id>` follows. */
  @Column({ name: 'idempotency_key', type: 'text' })
  idempotencyKey: string;

  /**
   * The provider's. `:<id>` follows once a newer event of the same id has come that is no resend (`EventIdentity.memorySeconds`),
   * `:<sender>` where several senders make bodies of their own of one event (`EventIdentity.sender`).
   */
  @Column({ name: 'event_id', type: 'text' })
  eventId: string;

  @Column({ name: 'event_type', type: 'text' })
  eventType: string;

  @Column({ type: 'text' })
  status: EventStatus;

  @Column({ type: 'boolean', default: false })
  processed: boolean;

  @Column({ name: 'processed_at', type: 'timestamptz', nullable: true })
  processedAt: Date | null;

  /** Milliseconds the handlers took in the attempt that succeeded. */
  @Column({ name: 'processing_time_ms', type: 'integer', nullable: true })
  processingTimeMs: number | null;

  @Column({ name: 'error_message', type: 'text', nullable: true })
  errorMessage: string | null;

  @Column({ name: 'retry_count', type: 'integer', default: 0 })
  retryCount: number;

  @Column({ name: 'max_retries', type: 'integer', default: 3 })
  maxRetries: number;

  /** All attempts ever, replays included; `retry_count` starts anew with a replay. */
  @Column({ type: 'integer', default: 0 })
  attempts: number;

  /**
   * The body for queries: virtual, made when it is read (its migration says how; TypeORM knows no such columns of
   * PostgreSQL, and `migrate --check` shows it this one as a plain column). Null where jsonb cannot hold the body (`\u0000`,
   * lone surrogates); `raw_body` always can. Like `payload_copy` it is not loaded with the entity: what is shown is read from
   * the bytes.
   */
  @Column({ name: 'raw_payload', type: 'jsonb', nullable: true, insert: false, update: false, select: false })
  readonly rawPayload: unknown;

  /** `raw_payload` is computed from `raw_body`, which is in ASCII; else it is `payload_copy`. */
  @Column({ name: 'payload_computed', type: 'boolean', default: false })
  payloadComputed: boolean;

  /** Of a body that is not in ASCII: PostgreSQL has no immutable way from its bytes to text. */
  @Column({ name: 'payload_copy', type: 'jsonb', nullable: true, select: false })
  payloadCopy: unknown;

  /** The bytes the signature was made over; what handlers see is parsed from these. */
  @Column({ name: 'raw_body', type: 'bytea' })
  rawBody: Buffer;

  @Column({ type: 'jsonb' })
  metadata: EventMetadata;

  /** SHA-256, hex, of the body without what the provider changes on each redelivery. */
  @Column({ name: 'payload_hash', type: 'text' })
  payloadHash: string;

  /** Set when the source asks for ordering. */
  @Column({ name: 'ordering_key', type: 'text', nullable: true })
  orderingKey: string | null;

  /** When the provider says it happened. */
  @Column({ name: 'occurred_at', type: 'timestamptz', nullable: true })
  occurredAt: Date | null;

  @Column({ name: 'ip_address', type: 'inet', nullable: true })
  ipAddress: string | null;

  @Column({ name: 'user_agent', type: 'text', nullable: true })
  userAgent: string | null;

  /** The secret whose signature matched. */
  @Column({ name: 'secret_id', type: 'uuid', nullable: true })
  secretId: string | null;

  /** When a worker may take it; for a claimed event, when its lease ends. Null once nothing is due. */
  @Column({ name: 'next_attempt_at', type: 'timestamptz', nullable: true })
  nextAttemptAt: Date | null;

  /** A fresh one for each claim: whoever lost it can complete nothing any more. */
  @Column({ name: 'claim_id', type: 'uuid', nullable: true })
  claimId: string | null;

  @Column({ name: 'claimed_by', type: 'text', nullable: true })
  claimedBy: string | null;

  @Column({ name: 'claimed_at', type: 'timestamptz', nullable: true })
  claimedAt: Date | null;

  @Column({ name: 'created_at', type: 'timestamptz', default: () => 'now()' })
  createdAt: Date;

  @Column({ name: 'updated_at', type: 'timestamptz', default: () => 'now()' })
  updatedAt: Date;
}

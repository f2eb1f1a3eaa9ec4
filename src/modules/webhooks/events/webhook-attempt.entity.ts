import { Check, Column, Entity, JoinColumn, ManyToOne, PrimaryColumn } from 'typeorm';
import { WebhookEvent } from './webhook-event.entity.js';

/** `abandoned`: the worker that had claimed it did not come back before the lease ended. */
export const ATTEMPT_OUTCOMES = ['processed', 'ignored', 'failed', 'timed_out', 'abandoned'] as const;
export type AttemptOutcome = (typeof ATTEMPT_OUTCOMES)[number];

/** One try to process an event. */
@Entity('webhook_attempts')
@Check('webhook_attempts_outcome_check', `"outcome" IN ('processed', 'ignored', 'failed', 'timed_out', 'abandoned')`)
export class WebhookAttempt {
  @PrimaryColumn({ type: 'uuid', primaryKeyConstraintName: 'webhook_attempts_pkey' })
  event: string;

  /** 1 for the first. */
  @PrimaryColumn({ type: 'integer', primaryKeyConstraintName: 'webhook_attempts_pkey' })
  attempt: number;

  @ManyToOne(() => WebhookEvent, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'event', foreignKeyConstraintName: 'webhook_attempts_event_fkey' })
  readonly owner?: WebhookEvent;

  @Column({ type: 'text' })
  outcome: AttemptOutcome;

  @Column({ type: 'text', nullable: true })
  error: string | null;

  @Column({ name: 'started_at', type: 'timestamptz' })
  startedAt: Date;

  @Column({ name: 'duration_ms', type: 'integer' })
  durationMs: number;

  /** Host and process id. */
  @Column({ type: 'text' })
  worker: string;
}

import { Check, Column, Entity, PrimaryColumn } from 'typeorm';

/** `abandoned`: the worker that had claimed it did not come back before the lease ended. */
export const ATTEMPT_OUTCOMES = ['processed', 'ignored', 'failed', 'timed_out', 'abandoned'] as const;
export type AttemptOutcome = (typeof ATTEMPT_OUTCOMES)[number];

/** One try to process an event. Its key is what makes an effect happen once: see `ClaimsRepository`. */
@Entity('webhook_attempts')
@Check('webhook_attempts_outcome_check', `"outcome" IN ('processed', 'ignored', 'failed', 'timed_out', 'abandoned')`)
export class WebhookAttempt {
  /**
   * No foreign key: its check reads the events' primary key in the attempt's SERIALIZABLE transaction, which makes
   * attempts on unrelated events fail each other (see `ClaimsRepository`). Retention removes the attempts with the event.
   */
  @PrimaryColumn({ type: 'uuid', primaryKeyConstraintName: 'webhook_attempts_pkey' })
  event: string;

  /** 1 for the first. */
  @PrimaryColumn({ type: 'integer', primaryKeyConstraintName: 'webhook_attempts_pkey' })
  attempt: number;

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

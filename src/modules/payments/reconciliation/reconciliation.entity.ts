import { Check, Column, Entity, Index, PrimaryColumn } from 'typeorm';
import type { PaymentMode, PaymentProviderName } from '../payment.js';
import type { ReconciliationReport, ReconciliationStatus, ReconciliationStep } from './reconciliation.js';

/** A comparison of payments, provider and ledger over a window of time. */
@Entity('reconciliations')
@Check('reconciliations_provider_check', `"provider" IN ('stripe', 'paystack', 'sandbox')`)
@Check('reconciliations_mode_check', `"mode" IN ('test', 'live')`)
@Check('reconciliations_status_check', `"status" IN ('queued', 'running', 'completed', 'failed')`)
@Check('reconciliations_step_check', `"step" IN ('collecting', 'comparing', 'healing', 'ledger', 'concluding')`)
@Check('reconciliations_window_check', `"window_from" < "window_to"`)
@Check('reconciliations_report_check', `("report" IS NOT NULL) = ("status" = 'completed')`)
@Index('reconciliations_unfinished_idx', ['provider', 'windowFrom'], { where: `"status" IN ('queued', 'running')` })
@Index('reconciliations_occasion_key', ['occasion', 'provider'], { unique: true, where: '"occasion" IS NOT NULL' })
@Index('reconciliations_provider_idx', ['provider', 'id'])
export class Reconciliation {
  @PrimaryColumn({ type: 'uuid', primaryKeyConstraintName: 'reconciliations_pkey' })
  id: string;

  @Column({ type: 'text' })
  provider: PaymentProviderName;

  /** The provider's when it was asked for. */
  @Column({ type: 'text' })
  mode: PaymentMode;

  /** Whole seconds, as Stripe counts. */
  @Column({ name: 'window_from', type: 'timestamptz' })
  windowFrom: Date;

  /** Not included. */
  @Column({ name: 'window_to', type: 'timestamptz' })
  windowTo: Date;

  /** Of runs by the clock, what for: each is made once, whichever process comes first. */
  @Column({ type: 'text', nullable: true })
  occasion: string | null;

  @Column({ type: 'text', default: 'queued' })
  status: ReconciliationStatus;

  @Column({ type: 'text', default: 'collecting' })
  step: ReconciliationStep;

  /** The attempt that works on it: one that was taken for dead writes nothing any more. */
  @Column({ type: 'uuid', nullable: true })
  worker: string | null;

  /** Up to where the provider's lists have been read. */
  @Column({ name: 'collected_to', type: 'timestamptz', nullable: true })
  collectedTo: Date | null;

  /** Read so far. */
  @Column({ type: 'integer', default: 0 })
  movements: number;

  /** Compared so far. */
  @Column({ type: 'integer', default: 0 })
  compared: number;

  /** Payments about which the provider was asked so far. */
  @Column({ type: 'integer', default: 0 })
  asked: number;

  @Column({ type: 'jsonb', nullable: true })
  report: ReconciliationReport | null;

  /** Of the last attempt that failed. */
  @Column({ type: 'text', nullable: true })
  error: string | null;

  /** The actor. */
  @Column({ name: 'created_by', type: 'text' })
  createdBy: string;

  @Column({ name: 'created_at', type: 'timestamptz', default: () => 'clock_timestamp()' })
  createdAt: Date;

  @Column({ name: 'started_at', type: 'timestamptz', nullable: true })
  startedAt: Date | null;

  @Column({ name: 'finished_at', type: 'timestamptz', nullable: true })
  finishedAt: Date | null;
}

import { Column, Entity, Index, JoinColumn, ManyToOne, PrimaryColumn } from 'typeorm';
import { Payment } from './payment.entity.js';
import type { ChangeSource, ChargeStatus, PaymentId } from './payment.js';

/** A step in the history of a charge; rows are inserted and never changed. */
@Entity('payment_transitions')
@Index('payment_transitions_over_idx', ['at'], { where: `"to_status" IN ('failed', 'canceled', 'declined')` })
export class PaymentTransition {
  @PrimaryColumn({ type: 'uuid', primaryKeyConstraintName: 'payment_transitions_pkey' })
  payment: PaymentId;

  /** 1, 2, 3, … without a gap. */
  @PrimaryColumn({ type: 'integer', primaryKeyConstraintName: 'payment_transitions_pkey' })
  sequence: number;

  @ManyToOne(() => Payment)
  @JoinColumn({ name: 'payment', foreignKeyConstraintName: 'payment_transitions_payment_fkey' })
  readonly of?: Payment;

  /** Null for the first. */
  @Column({ name: 'from_status', type: 'text', nullable: true })
  from: ChargeStatus | null;

  @Column({ name: 'to_status', type: 'text' })
  to: ChargeStatus;

  /** For people. */
  @Column({ type: 'text', nullable: true })
  reason: string | null;

  @Column({ type: 'text' })
  source: ChangeSource;

  @Column({ type: 'text' })
  actor: string;

  /** The webhook event that brought it. */
  @Column({ type: 'uuid', nullable: true })
  event: string | null;

  @Column({ type: 'timestamptz', default: () => 'clock_timestamp()' })
  at: Date;
}

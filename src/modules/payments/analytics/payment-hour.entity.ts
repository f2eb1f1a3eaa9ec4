import { Check, Column, Entity, PrimaryColumn } from 'typeorm';
import type { PaymentMode, PaymentProviderName } from '../payment.js';

/**
 * What happened to payments in an hour of UTC that is over for good. Inserted once, together with the move of `finalTo`, and never
 * changed; an hour in which nothing happened has no row.
 */
@Entity('payment_hours')
@Check('payment_hours_hour_check', `"hour" = date_trunc('hour', "hour", 'UTC')`)
export class PaymentHour {
  @PrimaryColumn({ type: 'timestamptz', primaryKeyConstraintName: 'payment_hours_pkey' })
  hour: Date;

  @PrimaryColumn({ type: 'text', primaryKeyConstraintName: 'payment_hours_pkey' })
  mode: PaymentMode;

  @PrimaryColumn({ type: 'text', primaryKeyConstraintName: 'payment_hours_pkey' })
  provider: PaymentProviderName;

  @PrimaryColumn({ type: 'text', collation: 'C', primaryKeyConstraintName: 'payment_hours_pkey' })
  currency: string;

  @Column({ type: 'bigint' })
  created: string;

  @Column({ type: 'bigint' })
  succeeded: string;

  @Column({ type: 'bigint' })
  failed: string;

  @Column({ type: 'bigint' })
  canceled: string;

  @Column({ type: 'bigint' })
  declined: string;

  @Column({ type: 'bigint' })
  refunds: string;

  @Column({ name: 'returned_refunds', type: 'bigint' })
  returnedRefunds: string;

  @Column({ type: 'bigint' })
  disputes: string;

  /** Minor units, as all that follow: sums without a limit of their own. */
  @Column({ type: 'numeric' })
  volume: string;

  @Column({ name: 'refunded_volume', type: 'numeric' })
  refundedVolume: string;

  @Column({ name: 'returned_volume', type: 'numeric' })
  returnedVolume: string;

  @Column({ name: 'withdrawn_volume', type: 'numeric' })
  withdrawnVolume: string;

  @Column({ name: 'reinstated_volume', type: 'numeric' })
  reinstatedVolume: string;
}

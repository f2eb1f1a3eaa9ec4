import { Check, Column, Entity, Index, PrimaryColumn } from 'typeorm';
import type { CaptureMode, PaymentFailure, ReportedStatus } from '../../payment.js';

/** A charge as the sandbox knows it: its own books, as a provider has them on the other side of the network. */
@Entity('sandbox_charges')
@Check('sandbox_charges_amount_check', `"amount" > 0 AND "received" BETWEEN 0 AND "amount"`)
@Index('sandbox_charges_create_key_key', ['createKey'], { unique: true })
@Index('sandbox_charges_payment_key', ['payment'], { unique: true })
export class SandboxCharge {
  /** `ch_…` */
  @PrimaryColumn({ type: 'text', primaryKeyConstraintName: 'sandbox_charges_pkey' })
  id: string;

  /** Whose it is, as its maker said. */
  @Column({ type: 'uuid' })
  payment: string;

  @Column({ name: 'create_key', type: 'text' })
  createKey: string;

  @Column({ type: 'bigint' })
  amount: string;

  @Column({ type: 'bigint', default: 0 })
  received: string;

  @Column({ type: 'text' })
  currency: string;

  @Column({ type: 'text' })
  capture: CaptureMode;

  @Column({ type: 'text' })
  status: ReportedStatus;

  @Column({ type: 'jsonb', nullable: true })
  failure: PaymentFailure | null;

  /** When it changes by itself, to `succeeded`. */
  @Index('sandbox_charges_due_at_idx', { where: '"due_at" IS NOT NULL' })
  @Column({ name: 'due_at', type: 'timestamptz', nullable: true })
  dueAt: Date | null;

  @Column({ name: 'created_at', type: 'timestamptz', default: () => 'now()' })
  createdAt: Date;
}

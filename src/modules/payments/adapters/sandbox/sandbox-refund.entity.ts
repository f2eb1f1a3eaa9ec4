import { Column, Entity, Index, PrimaryColumn } from 'typeorm';
import type { RefundStatus } from '../../payment.js';

/** A refund as the sandbox knows it. */
@Entity('sandbox_refunds')
@Index('sandbox_refunds_key_key', ['key'], { unique: true })
@Index('sandbox_refunds_charge_idx', ['charge'])
export class SandboxRefund {
  /** `re_…` */
  @PrimaryColumn({ type: 'text', primaryKeyConstraintName: 'sandbox_refunds_pkey' })
  id: string;

  @Column({ type: 'text' })
  charge: string;

  /** Whose it is, as its maker said. */
  @Column({ type: 'uuid' })
  refund: string;

  @Column({ type: 'text' })
  key: string;

  @Column({ type: 'bigint' })
  amount: string;

  @Column({ type: 'text' })
  status: RefundStatus;

  /** When it changes by itself, to `failed`. */
  @Index('sandbox_refunds_due_at_idx', { where: '"due_at" IS NOT NULL' })
  @Column({ name: 'due_at', type: 'timestamptz', nullable: true })
  dueAt: Date | null;
}

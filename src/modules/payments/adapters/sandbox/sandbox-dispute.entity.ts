import { Check, Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** `announced`: the customer will dispute the charge in a moment, and nobody has heard of it. */
export type SandboxDisputeStatus = 'announced' | 'needs_response' | 'won' | 'lost';

/** A dispute as the sandbox knows it. What it is about is withdrawn as long as it is not won. */
@Entity('sandbox_disputes')
@Check('sandbox_disputes_status_check', `"status" IN ('announced', 'needs_response', 'won', 'lost')`)
@Index('sandbox_disputes_charge_key', ['charge'], { unique: true })
export class SandboxDispute {
  /** `dp_…` */
  @PrimaryColumn({ type: 'text', primaryKeyConstraintName: 'sandbox_disputes_pkey' })
  id: string;

  @Column({ type: 'text' })
  charge: string;

  @Column({ type: 'bigint' })
  amount: string;

  @Column({ type: 'text' })
  status: SandboxDisputeStatus;

  /** When it changes by itself. */
  @Index('sandbox_disputes_due_at_idx', { where: '"due_at" IS NOT NULL' })
  @Column({ name: 'due_at', type: 'timestamptz', nullable: true })
  dueAt: Date | null;

  @Column({ name: 'created_at', type: 'timestamptz', default: () => 'now()' })
  createdAt: Date;
}

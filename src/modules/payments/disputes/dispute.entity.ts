import { Check, Column, Entity, Index, JoinColumn, ManyToOne, PrimaryColumn } from 'typeorm';
import type { DisputeStatus } from './dispute.js';
import type { PaymentId, PaymentMode, PaymentProviderName } from '../payment.js';
import { Payment } from '../payment.entity.js';

/** A customer's bank asks for a payment's money, or only about it. A payment can have several, one after the other. */
@Entity('disputes')
@Check('disputes_status_check', `"status" IN ('inquiry', 'open', 'won', 'lost', 'closed')`)
@Check('disputes_amount_check', `"amount" BETWEEN 0 AND 9007199254740991`)
@Check('disputes_funds_check', `"withdrawn" >= 0 AND "reinstated" >= 0`)
@Index('disputes_provider_reference_key', ['providerReference', 'provider', 'mode'], { unique: true })
@Index('disputes_payment_idx', ['payment', 'id'])
@Index('disputes_user_id_idx', ['userId', 'id'])
@Index('disputes_status_idx', ['status', 'id'])
@Index('disputes_created_at_idx', ['createdAt'])
export class Dispute {
  /** Version 7: the order of ids is that in which they became known here. */
  @PrimaryColumn({ type: 'uuid', primaryKeyConstraintName: 'disputes_pkey' })
  id: string;

  @Column({ type: 'uuid' })
  payment: PaymentId;

  @ManyToOne(() => Payment)
  @JoinColumn({ name: 'payment', foreignKeyConstraintName: 'disputes_payment_fkey' })
  readonly of?: Payment;

  /** The payment's, which never changes: users list their own. */
  @Column({ name: 'user_id', type: 'text', collation: 'C' })
  userId: string;

  @Column({ type: 'text' })
  provider: PaymentProviderName;

  @Column({ type: 'text' })
  mode: PaymentMode;

  /** The provider's id of it. */
  @Column({ name: 'provider_reference', type: 'text', collation: 'C' })
  providerReference: string;

  @Column({ type: 'text' })
  status: DisputeStatus;

  /** The provider's own word, also one that nobody here knows. */
  @Column({ name: 'provider_status', type: 'text' })
  providerStatus: string;

  /** Why, in the provider's words. */
  @Column({ type: 'text', nullable: true })
  reason: string | null;

  /** What is disputed; minor units. */
  @Column({ type: 'bigint' })
  amount: string;

  @Column({ type: 'text', collation: 'C' })
  currency: string;

  /** What the provider has taken for it, as it was booked; minor units, the sum over its movements. */
  @Column({ type: 'bigint', default: 0 })
  withdrawn: string;

  /** What the provider gave back of it. */
  @Column({ type: 'bigint', default: 0 })
  reinstated: string;

  @Column({ name: 'opened_at', type: 'timestamptz' })
  openedAt: Date;

  /** Null as long as it is not decided. */
  @Column({ name: 'closed_at', type: 'timestamptz', nullable: true })
  closedAt: Date | null;

  @Column({ name: 'created_at', type: 'timestamptz', default: () => 'clock_timestamp()' })
  createdAt: Date;

  @Column({ name: 'updated_at', type: 'timestamptz', default: () => 'clock_timestamp()' })
  updatedAt: Date;
}

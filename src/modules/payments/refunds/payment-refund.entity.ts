import { Check, Column, Entity, Index, JoinColumn, ManyToOne, PrimaryColumn } from 'typeorm';
import type { PaymentFailure, PaymentId, RefundStatus } from '../payment.js';
import { Payment } from '../payment.entity.js';

/** Where the refunded money is in the books: set aside, gone to the customer, back where it came from, or in suspense
 * because the wallet did not take it back. */
export type RefundBooking = 'reserved' | 'paid' | 'returned' | 'suspended';

/** Who made it: somebody here, or somebody at the provider, in its dashboard for example. */
export type RefundOrigin = 'api' | 'provider';

/** Money of a payment on its way back to the customer. */
@Entity('payment_refunds')
@Check('payment_refunds_status_check', `"status" IN ('pending', 'requires_action', 'succeeded', 'failed', 'canceled')`)
@Check('payment_refunds_booking_check', `"booking" IN ('reserved', 'paid', 'returned', 'suspended')`)
@Check('payment_refunds_origin_check', `"origin" IN ('api', 'provider')`)
@Check('payment_refunds_amount_check', `"amount" BETWEEN 1 AND 9007199254740991`)
@Index('payment_refunds_payment_idx', ['payment', 'id'])
@Index('payment_refunds_provider_reference_key', ['providerReference', 'payment'], {
  unique: true,
  where: '"provider_reference" IS NOT NULL',
})
export class PaymentRefund {
  @PrimaryColumn({ type: 'uuid', primaryKeyConstraintName: 'payment_refunds_pkey' })
  id: string;

  @Column({ type: 'uuid' })
  payment: PaymentId;

  @ManyToOne(() => Payment)
  @JoinColumn({ name: 'payment', foreignKeyConstraintName: 'payment_refunds_payment_fkey' })
  readonly of?: Payment;

  @Column({ name: 'provider_reference', type: 'text', collation: 'C', nullable: true })
  providerReference: string | null;

  /** Minor units. */
  @Column({ type: 'bigint' })
  amount: string;

  @Column({ type: 'text', collation: 'C' })
  currency: string;

  @Column({ type: 'text' })
  status: RefundStatus;

  @Column({ type: 'text' })
  booking: RefundBooking;

  @Column({ type: 'text', default: 'api' })
  origin: RefundOrigin;

  @Column({ type: 'text', nullable: true })
  reason: string | null;

  @Column({ type: 'jsonb', nullable: true })
  failure: PaymentFailure | null;

  /** The actor. */
  @Column({ name: 'created_by', type: 'text' })
  createdBy: string;

  @Column({ name: 'created_at', type: 'timestamptz', default: () => 'now()' })
  createdAt: Date;

  @Column({ name: 'updated_at', type: 'timestamptz', default: () => 'now()' })
  updatedAt: Date;
}

import { Check, Column, Entity, Index, JoinColumn, ManyToOne, PrimaryColumn } from 'typeorm';
import type { PaymentFailure, PaymentId } from '../payment.js';
import { Payment } from '../payment.entity.js';

export type OperationKind = 'create' | 'capture' | 'cancel' | 'refund';

/**
 * `pending`: it may be on its way, or its process may have ended. `unknown`: it was sent, and nobody knows what became of it.
 * Both are settled by asking the provider.
 */
export type OperationOutcome = 'pending' | 'succeeded' | 'failed' | 'unknown';

/** Nobody knows yet what became of it. */
export function isOpen(outcome: OperationOutcome): outcome is 'pending' | 'unknown' {
  return outcome === 'pending' || outcome === 'unknown';
}

/** A call that changes something at a provider. The row is there before the call is sent, and the key it is sent under is its id. */
@Entity('provider_operations')
@Check('provider_operations_kind_check', `"kind" IN ('create', 'capture', 'cancel', 'refund')`)
@Check('provider_operations_outcome_check', `"outcome" IN ('pending', 'succeeded', 'failed', 'unknown')`)
@Check('provider_operations_refund_check', `("kind" = 'refund') = ("refund" IS NOT NULL)`)
@Index('provider_operations_open_key', ['payment'], {
  unique: true,
  where: `"outcome" IN ('pending', 'unknown') AND "kind" <> 'refund'`,
})
@Index('provider_operations_payment_idx', ['payment', 'id'])
@Index('provider_operations_request_idx', ['requestKey', 'requestScope'], { where: '"request_key" IS NOT NULL' })
export class ProviderOperation {
  @PrimaryColumn({ type: 'uuid', primaryKeyConstraintName: 'provider_operations_pkey' })
  id: string;

  @Column({ type: 'uuid' })
  payment: PaymentId;

  @ManyToOne(() => Payment)
  @JoinColumn({ name: 'payment', foreignKeyConstraintName: 'provider_operations_payment_fkey' })
  readonly of?: Payment;

  @Column({ type: 'text' })
  kind: OperationKind;

  /** What is given back, of a `refund`. */
  @Column({ type: 'uuid', nullable: true })
  refund: string | null;

  /** Minor units, of a `capture` or `refund`. */
  @Column({ type: 'bigint', nullable: true })
  amount: string | null;

  @Column({ type: 'text', default: 'pending' })
  outcome: OperationOutcome;

  @Column({ type: 'jsonb', nullable: true })
  failure: PaymentFailure | null;

  /** What the request that asked for it claims: a second attempt at that request goes on from here. */
  @Column({ name: 'request_scope', type: 'text', nullable: true })
  requestScope: string | null;

  @Column({ name: 'request_key', type: 'text', nullable: true })
  requestKey: string | null;

  @Column({ name: 'request_fingerprint', type: 'text', nullable: true })
  requestFingerprint: string | null;

  /** Of the insert, a moment before it is sent. */
  @Column({ name: 'created_at', type: 'timestamptz', default: () => 'clock_timestamp()' })
  createdAt: Date;

  @Column({ name: 'finished_at', type: 'timestamptz', nullable: true })
  finishedAt: Date | null;
}

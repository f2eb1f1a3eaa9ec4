import { Check, Column, Entity, JoinColumn, ManyToOne, PrimaryColumn } from 'typeorm';
import { Dispute } from './dispute.entity.js';
import type { DisputeMovementKind } from './dispute.js';

/** Money that a dispute moved at the provider; a row is inserted together with its posting. */
@Entity('dispute_movements')
@Check('dispute_movements_kind_check', `"kind" IN ('withdrawn', 'reinstated')`)
@Check('dispute_movements_account_check', `"account" IN ('wallet', 'suspense')`)
@Check('dispute_movements_waiting_check', `"account" = 'suspense' OR NOT "waiting"`)
@Check('dispute_movements_amount_check', `"amount" BETWEEN 1 AND 9007199254740991`)
export class DisputeMovement {
  @PrimaryColumn({ type: 'uuid', primaryKeyConstraintName: 'dispute_movements_pkey' })
  dispute: string;

  /** The provider's id of what moved, for example of Stripe's balance transaction: it is booked once. */
  @PrimaryColumn({ type: 'text', collation: 'C', primaryKeyConstraintName: 'dispute_movements_pkey' })
  key: string;

  @ManyToOne(() => Dispute)
  @JoinColumn({ name: 'dispute', foreignKeyConstraintName: 'dispute_movements_dispute_fkey' })
  readonly of?: Dispute;

  @Column({ type: 'text' })
  kind: DisputeMovementKind;

  /** Minor units. */
  @Column({ type: 'bigint' })
  amount: string;

  @Column({ type: 'text', collation: 'C' })
  currency: string;

  /** Where it was taken from, or put. */
  @Column({ type: 'text' })
  account: 'wallet' | 'suspense';

  /** It is in suspense because the wallet did not take it, until somebody approves the review. */
  @Column({ type: 'boolean', default: false })
  waiting: boolean;

  @Column({ type: 'timestamptz', default: () => 'clock_timestamp()' })
  at: Date;
}

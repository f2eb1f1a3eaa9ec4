import { Check, Column, Entity, Index, JoinColumn, ManyToOne, PrimaryColumn } from 'typeorm';
import type { MovementKind } from '../providers/provider-movement.js';
import type { Outcome } from './reconciliation.js';
import { Reconciliation } from './reconciliation.entity.js';

/**
 * What a run has read and found so far, so that it needs no memory and goes on after a crash: the provider's movements, and what the
 * books have beside them. Empty once the run is over.
 */
@Entity('reconciliation_movements')
@Check(
  'reconciliation_movements_kind_check',
  `"kind" IN ('charge', 'refund', 'dispute', 'reinstatement', 'fee', 'other')`,
)
@Index('reconciliation_movements_reference_idx', ['reconciliation', 'reference'], {
  where: '"reference" IS NOT NULL',
})
@Index('reconciliation_movements_payment_idx', ['reconciliation', 'payment'], { where: '"payment" IS NOT NULL' })
export class ReconciliationMovement {
  @PrimaryColumn({ type: 'uuid', primaryKeyConstraintName: 'reconciliation_movements_pkey' })
  reconciliation: string;

  /** The provider's of the movement; of what only the books have, `ledger:<reference>`. */
  @PrimaryColumn({ type: 'text', collation: 'C', primaryKeyConstraintName: 'reconciliation_movements_pkey' })
  id: string;

  @ManyToOne(() => Reconciliation)
  @JoinColumn({ name: 'reconciliation', foreignKeyConstraintName: 'reconciliation_movements_reconciliation_fkey' })
  readonly of?: Reconciliation;

  @Column({ type: 'text' })
  kind: MovementKind;

  @Column({ type: 'text', collation: 'C', nullable: true })
  object: string | null;

  @Column({ type: 'text', collation: 'C', nullable: true })
  charge: string | null;

  /** Whose the object says it is. */
  @Column({ name: 'claimed_payment', type: 'uuid', nullable: true })
  claimedPayment: string | null;

  @Column({ name: 'claimed_refund', type: 'uuid', nullable: true })
  claimedRefund: string | null;

  /** Minor units; null where the provider has not moved any. */
  @Column({ type: 'bigint', nullable: true })
  amount: string | null;

  @Column({ type: 'text', collation: 'C' })
  currency: string;

  @Column({ type: 'bigint', default: 0 })
  fee: string;

  @Column({ name: 'fee_currency', type: 'text', collation: 'C' })
  feeCurrency: string;

  @Column({ name: 'moved_at', type: 'timestamptz' })
  movedAt: Date;

  @Column({ name: 'is_reversal', type: 'boolean', default: false })
  isReversal: boolean;

  @Column({ name: 'is_pending', type: 'boolean', default: false })
  isPending: boolean;

  @Column({ name: 'is_undone', type: 'boolean', default: false })
  isUndone: boolean;

  @Column({ name: 'is_available', type: 'boolean', default: true })
  isAvailable: boolean;

  /** Null until it has been compared. */
  @Column({ type: 'text', nullable: true })
  outcome: Outcome | null;

  /** Before it was healed. */
  @Column({ name: 'first_outcome', type: 'text', nullable: true })
  firstOutcome: Outcome | null;

  @Column({ type: 'uuid', nullable: true })
  payment: string | null;

  @Column({ type: 'uuid', nullable: true })
  refund: string | null;

  /** Under which it is, or would be, in the ledger. */
  @Column({ type: 'text', collation: 'C', nullable: true })
  reference: string | null;

  /** What the clearing account shows for it; minor units, below zero for what the provider received. */
  @Column({ type: 'bigint', nullable: true })
  booked: string | null;

  @Column({ name: 'booked_currency', type: 'text', collation: 'C', nullable: true })
  bookedCurrency: string | null;

  /** What the provider said when it was asked. */
  @Column({ type: 'text', nullable: true })
  note: string | null;
}

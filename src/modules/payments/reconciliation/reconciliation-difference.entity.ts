import { Check, Column, Entity, Index, JoinColumn, ManyToOne, PrimaryColumn } from 'typeorm';
import type { PaymentMode, PaymentProviderName } from '../payment.js';
import type { MovementKind } from '../providers/provider-movement.js';
import type { DifferenceKind, DifferenceState } from './reconciliation.js';
import { Reconciliation } from './reconciliation.entity.js';

/** What a run found that is not the same on all sides, and what has become of it. */
@Entity('reconciliation_differences')
@Check(
  'reconciliation_differences_kind_check',
  `"kind" IN ('missing_here', 'missing_there', 'amount', 'currency', 'status', 'in_transit', 'foreign')`,
)
@Check('reconciliation_differences_state_check', `"state" IN ('open', 'healed', 'resolved', 'superseded', 'noted')`)
@Index('reconciliation_differences_reconciliation_idx', ['reconciliation', 'id'])
@Index('reconciliation_differences_state_idx', ['reconciliation', 'state', 'id'])
@Index('reconciliation_differences_open_idx', ['provider', 'mode', 'movement'], { where: `"state" = 'open'` })
export class ReconciliationDifference {
  @PrimaryColumn({ type: 'uuid', primaryKeyConstraintName: 'reconciliation_differences_pkey' })
  id: string;

  @Column({ type: 'uuid' })
  reconciliation: string;

  @ManyToOne(() => Reconciliation)
  @JoinColumn({ name: 'reconciliation', foreignKeyConstraintName: 'reconciliation_differences_reconciliation_fkey' })
  readonly of?: Reconciliation;

  @Column({ type: 'text' })
  provider: PaymentProviderName;

  @Column({ type: 'text' })
  mode: PaymentMode;

  @Column({ type: 'text' })
  kind: DifferenceKind;

  @Column({ type: 'text' })
  state: DifferenceState;

  @Column({ name: 'movement_kind', type: 'text' })
  movementKind: MovementKind;

  /** The provider's id of the movement; of what only the books have, `ledger:<reference>`. */
  @Column({ type: 'text', collation: 'C' })
  movement: string;

  /** The provider's id of the charge, the refund or the dispute. */
  @Column({ type: 'text', collation: 'C', nullable: true })
  object: string | null;

  @Column({ type: 'uuid', nullable: true })
  payment: string | null;

  @Column({ type: 'uuid', nullable: true })
  refund: string | null;

  /** Under which it is, or would be, in the ledger. */
  @Column({ type: 'text', collation: 'C', nullable: true })
  reference: string | null;

  /** What the provider says, minor units; null where it does not know of it. */
  @Column({ name: 'provider_amount', type: 'bigint', nullable: true })
  providerAmount: string | null;

  @Column({ name: 'provider_currency', type: 'text', collation: 'C', nullable: true })
  providerCurrency: string | null;

  /** What the books say, as the provider would have it; null where they have none of it. */
  @Column({ name: 'booked_amount', type: 'bigint', nullable: true })
  bookedAmount: string | null;

  @Column({ name: 'booked_currency', type: 'text', collation: 'C', nullable: true })
  bookedCurrency: string | null;

  @Column({ name: 'moved_at', type: 'timestamptz' })
  movedAt: Date;

  @Column({ type: 'text', nullable: true })
  note: string | null;

  /** The later run that found it gone, or again. */
  @Column({ name: 'resolved_by', type: 'uuid', nullable: true })
  resolvedBy: string | null;

  @Column({ name: 'updated_at', type: 'timestamptz', default: () => 'clock_timestamp()' })
  updatedAt: Date;
}

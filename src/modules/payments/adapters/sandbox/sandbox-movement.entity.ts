import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** One change of the balance that the sandbox keeps for its caller. Rows are inserted and never changed. */
@Entity('sandbox_movements')
@Index('sandbox_movements_created_at_idx', ['createdAt', 'id'])
export class SandboxMovement {
  @PrimaryColumn({ type: 'uuid', primaryKeyConstraintName: 'sandbox_movements_pkey' })
  id: string;

  @Column({ type: 'text' })
  kind: 'charge' | 'refund' | 'dispute' | 'reinstatement';

  /** Of the charge, the refund or the dispute. */
  @Column({ type: 'text' })
  object: string;

  @Column({ type: 'text' })
  charge: string;

  /** Whose it is, as its maker said. */
  @Column({ type: 'uuid', nullable: true })
  payment: string | null;

  /** Whose it is, as its maker said. */
  @Column({ type: 'uuid', nullable: true })
  refund: string | null;

  /** Below zero for what leaves the balance. */
  @Column({ type: 'bigint' })
  amount: string;

  @Column({ type: 'text' })
  currency: string;

  @Column({ name: 'created_at', type: 'timestamptz', default: () => 'clock_timestamp()' })
  createdAt: Date;
}

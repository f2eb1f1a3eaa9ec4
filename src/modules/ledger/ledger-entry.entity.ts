import { Check, Column, Entity, PrimaryColumn } from 'typeorm';

/** One leg of a transfer, as its account sees it. Inserted by the trigger that books transfers, never changed. */
@Entity('ledger_entries')
@Check('ledger_entries_sequence_check', 'sequence > 0')
export class LedgerEntryRow {
  @PrimaryColumn({ type: 'uuid', primaryKeyConstraintName: 'ledger_entries_pkey' })
  account: string;

  /** From 1 without gaps, per account. */
  @PrimaryColumn({ type: 'bigint', primaryKeyConstraintName: 'ledger_entries_pkey' })
  sequence: string;

  @Column({ type: 'uuid' })
  transfer: string;

  /** Minor units; below zero on the side of the debit. */
  @Column({ type: 'bigint' })
  amount: string;

  @Column({ name: 'balance_after', type: 'bigint' })
  balanceAfter: string;

  /** Never before that of the entry before it. */
  @Column({ name: 'created_at', type: 'timestamptz' })
  createdAt: Date;
}

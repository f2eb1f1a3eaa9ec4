import { Check, Column, Entity, Index, PrimaryColumn } from 'typeorm';
import type { TransferKind } from './transfer.js';

/**
 * A transfer; rows are inserted and never changed. A trigger books each one: two entries and both balances.
 *
 * `reference` is unique with its category over all accounts, not per account: `settle:<payment>` must settle once even if
 * a bug names another account the second time. The idempotency key of the request is not repeated here: its record,
 * unique by scope and key, commits in the same transaction and may expire, a transfer may not.
 */
@Entity('ledger_transfers')
@Check('ledger_transfers_amount_check', 'amount BETWEEN 1 AND 9007199254740991')
@Check('ledger_transfers_accounts_check', 'debit_account <> credit_account')
@Check('ledger_transfers_kind_check', `kind IN ('CREDIT', 'DEBIT', 'TRANSFER', 'CAPTURE', 'REVERSAL')`)
@Check('ledger_transfers_reverses_check', `(kind = 'REVERSAL') = (reverses IS NOT NULL)`)
@Check('ledger_transfers_hold_check', `(kind = 'CAPTURE') = (hold IS NOT NULL)`)
@Index('ledger_transfers_reverses_key', ['reverses'], { unique: true, where: 'reverses IS NOT NULL' })
@Index('ledger_transfers_hold_key', ['hold'], { unique: true, where: 'hold IS NOT NULL' })
@Index('ledger_transfers_reference_key', ['reference', 'category'], { unique: true, where: 'reference IS NOT NULL' })
export class LedgerTransferRow {
  /** Version 7, so that the primary key grows at its end. */
  @PrimaryColumn({ type: 'uuid', primaryKeyConstraintName: 'ledger_transfers_pkey' })
  id: string;

  @Column({ name: 'debit_account', type: 'uuid' })
  debitAccount: string;

  @Column({ name: 'credit_account', type: 'uuid' })
  creditAccount: string;

  @Column({ type: 'bigint' })
  amount: string;

  /** With the account it is the key of the entry, so that entries need no index on their transfer (5 µs a row). */
  @Column({ name: 'debit_sequence', type: 'bigint' })
  debitSequence: string;

  @Column({ name: 'credit_sequence', type: 'bigint' })
  creditSequence: string;

  @Column({ name: 'debit_balance_after', type: 'bigint' })
  debitBalanceAfter: string;

  @Column({ name: 'credit_balance_after', type: 'bigint' })
  creditBalanceAfter: string;

  /** The database's time under the locks of the accounts, whole milliseconds. */
  @Column({ name: 'created_at', type: 'timestamptz' })
  createdAt: Date;

  @Column({ type: 'text', collation: 'C' })
  currency: string;

  @Column({ type: 'text' })
  kind: TransferKind;

  @Column({ type: 'text' })
  actor: string;

  @Column({ name: 'request_id', type: 'text', nullable: true })
  requestId: string | null;

  @Column({ type: 'text', collation: 'C', nullable: true })
  category: string | null;

  @Column({ type: 'text', collation: 'C', nullable: true })
  reference: string | null;

  @Column({ type: 'text', nullable: true })
  description: string | null;

  @Column({ type: 'jsonb', nullable: true })
  metadata: object | null;

  /** The transfer it mirrors. */
  @Column({ type: 'uuid', nullable: true })
  reverses: string | null;

  /** The hold it captured. */
  @Column({ type: 'uuid', nullable: true })
  hold: string | null;
}

import { Check, Column, Entity, Index, PrimaryColumn } from 'typeorm';
import type { AccountKind, AccountStatus } from './account.js';

/**
 * An account. Balance, sum held and sequence move by trigger only, with the transfers and holds that move them; its
 * identity never changes and it is never deleted. Amounts are minor units, bigint as text.
 */
@Entity('ledger_accounts')
@Check('ledger_accounts_kind_check', `kind IN ('user', 'system', 'debt')`)
@Check('ledger_accounts_status_check', `status IN ('OPEN', 'FROZEN')`)
@Check('ledger_accounts_owner_check', `owner <> ''`)
@Check('ledger_accounts_balance_check', 'balance BETWEEN -9007199254740991 AND 9007199254740991')
@Check('ledger_accounts_held_check', 'held >= 0 AND (allow_negative OR held <= balance)')
@Check('ledger_accounts_debt_check', `kind <> 'debt' OR allow_negative AND balance <= 0 AND held = 0`)
@Index('ledger_accounts_owner_key', ['owner', 'currency', 'kind'], { unique: true })
export class LedgerAccountRow {
  @PrimaryColumn({ type: 'uuid', primaryKeyConstraintName: 'ledger_accounts_pkey' })
  id: string;

  @Column({ type: 'bigint', default: 0 })
  balance: string;

  /** The sum of its active holds. */
  @Column({ type: 'bigint', default: 0 })
  held: string;

  /** Of its last entry. */
  @Column({ type: 'bigint', default: 0 })
  sequence: string;

  /** The times of an account's entries never go back, so that a past balance is found by halves. */
  @Column({ name: 'last_entry_at', type: 'timestamptz', default: () => `'-infinity'` })
  lastEntryAt: Date;

  @Column({ name: 'created_at', type: 'timestamptz', default: () => 'now()' })
  createdAt: Date;

  /** The world outside owes and is owed without end; a user's account only if it was opened so. */
  @Column({ name: 'allow_negative', type: 'boolean', default: false })
  allowNegative: boolean;

  @Column({ type: 'text' })
  kind: AccountKind;

  @Column({ type: 'text', collation: 'C' })
  currency: string;

  @Column({ type: 'text', collation: 'C' })
  owner: string;

  @Column({ type: 'text', default: 'OPEN' })
  status: AccountStatus;

  /** Of a user who ever owed: what they owe is below zero there. Set by a trigger when that account is opened. */
  @Column({ name: 'debt_account', type: 'uuid', nullable: true })
  debtAccount: string | null;
}

import type { Currency } from '../../kernel/currency.js';
import { Money } from '../../kernel/money.js';
import type { AccountKind } from './account.js';
import type { AccountId, HoldId, TransferId } from './ids.js';
import type { BookedTransfer } from './ledger-state.js';
import type { TransferKind } from './transfer.js';

/** What a transfer is read by; `t` is the transfer, `d` and `c` are its accounts. */
export const TRANSFER_COLUMNS = `
    t.id, t.kind, t.amount, t.currency, t.category, t.reference, t.description, t.metadata, t.reverses, t.hold, t.actor,
    t.request_id, t.created_at, t.debit_account, t.debit_sequence, t.debit_balance_after, t.credit_account,
    t.credit_sequence, t.credit_balance_after, d.kind AS debit_kind, d.owner AS debit_owner, c.kind AS credit_kind,
    c.owner AS credit_owner`;

/** Indexes: ledger_accounts_pkey, twice. */
export const TRANSFER_ACCOUNTS = `
  JOIN ledger_accounts AS d ON d.id = t.debit_account
  JOIN ledger_accounts AS c ON c.id = t.credit_account`;

/** A row of these columns. */
export interface TransferRow {
  id: TransferId;
  kind: TransferKind;
  amount: string;
  currency: Currency;
  category: string | null;
  reference: string | null;
  description: string | null;
  metadata: Record<string, unknown> | null;
  reverses: TransferId | null;
  hold: HoldId | null;
  actor: string;
  request_id: string | null;
  created_at: Date;
  debit_account: AccountId;
  debit_sequence: string;
  debit_balance_after: string;
  credit_account: AccountId;
  credit_sequence: string;
  credit_balance_after: string;
  debit_kind: AccountKind;
  debit_owner: string;
  credit_kind: AccountKind;
  credit_owner: string;
}

export function transferOf(row: TransferRow): BookedTransfer {
  const { id, kind, currency, category, reference, description, metadata, reverses, actor } = row;
  return {
    id,
    kind,
    debit: { id: row.debit_account, kind: row.debit_kind, owner: row.debit_owner, currency },
    credit: { id: row.credit_account, kind: row.credit_kind, owner: row.credit_owner, currency },
    amount: Money.of(BigInt(row.amount), currency),
    category,
    reference,
    description,
    metadata,
    reverses,
    holdId: row.hold,
    createdAt: row.created_at,
    debitBalanceAfter: BigInt(row.debit_balance_after),
    debitSequence: Number(row.debit_sequence),
    creditBalanceAfter: BigInt(row.credit_balance_after),
    creditSequence: Number(row.credit_sequence),
    actor,
    requestId: row.request_id,
  };
}

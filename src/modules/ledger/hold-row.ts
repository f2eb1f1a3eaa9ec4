import type { Currency } from '../../kernel/currency.js';
import { Money } from '../../kernel/money.js';
import type { AccountKind } from './account.js';
import type { HoldStatus } from './hold.js';
import type { AccountId, HoldId, TransferId } from './ids.js';
import type { BookedHold } from './ledger-state.js';

/** What a hold is read by; `h` is the hold, `a` and `c` are its accounts. */
export const HOLD_COLUMNS = `
    h.id, h.account, h.credit_account, h.amount, h.captured, h.status, h.description, h.placed_by, h.request_id,
    h.expires_at, h.transfer, h.created_at, h.resolved_at, h.currency, a.kind AS account_kind, a.owner AS account_owner,
    c.kind AS credit_kind, c.owner AS credit_owner`;

/** Indexes: ledger_accounts_pkey, twice. */
export const HOLD_ACCOUNTS = `
  JOIN ledger_accounts AS a ON a.id = h.account
  JOIN ledger_accounts AS c ON c.id = h.credit_account`;

/** A row of these columns. */
export interface HoldRow {
  id: HoldId;
  account: AccountId;
  credit_account: AccountId;
  amount: string;
  captured: string | null;
  status: HoldStatus;
  description: string | null;
  placed_by: string;
  request_id: string | null;
  expires_at: Date;
  transfer: TransferId | null;
  created_at: Date;
  resolved_at: Date | null;
  currency: Currency;
  account_kind: AccountKind;
  account_owner: string;
  credit_kind: AccountKind;
  credit_owner: string;
}

export function holdOf(row: HoldRow): BookedHold {
  const { id, status, description, currency } = row;
  return {
    id,
    account: { id: row.account, kind: row.account_kind, owner: row.account_owner, currency },
    credit: { id: row.credit_account, kind: row.credit_kind, owner: row.credit_owner, currency },
    amount: Money.of(BigInt(row.amount), currency),
    captured: row.captured === null ? null : Money.of(BigInt(row.captured), currency),
    status,
    description,
    placedBy: row.placed_by,
    requestId: row.request_id,
    expiresAt: row.expires_at,
    transferId: row.transfer,
    createdAt: row.created_at,
    resolvedAt: status === 'EXPIRED' ? row.expires_at : row.resolved_at,
  };
}

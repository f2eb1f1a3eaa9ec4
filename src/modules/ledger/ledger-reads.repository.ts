import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import type { Currency } from '../../kernel/currency.js';
import {
  prepared,
  type PreparedStatement,
  runnerOf,
  runPrepared,
  runPreparedAlone,
} from '../../platform/database/index.js';
import type { AccountKey, AccountKind, AccountStatus, BalanceAt, LedgerAccount } from './account.js';
import { amountsOf, type AmountsRow } from './amounts.js';
import { HOLD_ACCOUNTS, HOLD_COLUMNS, holdOf, type HoldRow } from './hold-row.js';
import type { Hold } from './hold.js';
import type { AccountId, HoldId, TransferId } from './ids.js';
import { TRANSFER_ACCOUNTS, TRANSFER_COLUMNS, transferOf, type TransferRow } from './transfer-row.js';
import type { PostedTransfer } from './transfer.js';

/**
 * LATERAL with LIMIT: one probe a key, whatever the statistics say of a small table. What holds reserve whose time is over
 * is held no more, swept or not; where nothing is held none is looked for, and no debt where there never was one. Indexes:
 * ledger_accounts_owner_key, ledger_accounts_pkey, ledger_holds_active_idx (or ledger_holds_expiry_idx while little is due
 * at all).
 */
const FIND_ACCOUNTS = prepared(
  'ledger_find_accounts',
  `
  SELECT
    wanted.position::integer, a.id, a.kind, a.owner, a.currency, a.balance, a.allow_negative, a.status, a.sequence,
    a.created_at, statement_timestamp() AS as_of,
    CASE WHEN a.held = 0 THEN 0 ELSE a.held - coalesce((
      SELECT sum(amount) FROM ledger_holds
      WHERE account = a.id AND status = 'ACTIVE' AND expires_at <= statement_timestamp()
    ), 0)::bigint END AS held,
    CASE WHEN a.debt_account IS NULL THEN 0 ELSE (
      SELECT -balance FROM ledger_accounts WHERE id = a.debt_account
    ) END AS debt
  FROM unnest($1::text[], $2::text[], $3::text[]) WITH ORDINALITY AS wanted (kind, owner, currency, position)
  CROSS JOIN LATERAL (
    SELECT *
    FROM ledger_accounts
    WHERE owner = wanted.owner AND currency = wanted.currency AND kind = wanted.kind
    LIMIT 1
  ) AS a`,
);

/**
 * The last entry up to a moment, found by halves: times do not go back along an account's sequence, so 25 probes of the
 * primary key find it among 30 million, and no index over time costs each entry 5 µs. What was held then is the sum of
 * the holds placed by then whose time was not over and which were not resolved by then. A user's debt account is searched
 * beside the user's. Indexes: ledger_accounts_owner_key, ledger_entries_pkey, ledger_holds_account_idx.
 */
const BALANCE_AT = prepared(
  'ledger_balance_at',
  `
  WITH RECURSIVE account AS (
    SELECT id, kind, sequence
    FROM ledger_accounts
    WHERE owner = $1 AND currency = $2 AND (kind = $3 OR $3 = 'user' AND kind = 'debt')
  ),
  search (id, low, high) AS (
    SELECT id, 0::bigint, sequence FROM account
    UNION ALL
    SELECT
      search.id,
      CASE WHEN e.created_at <= $4 THEN e.sequence ELSE low END,
      CASE WHEN e.created_at <= $4 THEN high ELSE e.sequence - 1 END
    FROM search
    CROSS JOIN LATERAL (
      SELECT sequence, created_at FROM ledger_entries WHERE account = search.id AND sequence = (low + high + 1) / 2
    ) AS e
    WHERE low < high
  ),
  past AS (
    SELECT
      account.id, account.kind,
      coalesce((
        SELECT balance_after FROM ledger_entries
        WHERE account = account.id AND sequence = (SELECT max(low) FROM search WHERE search.id = account.id)
      ), 0) AS balance
    FROM account
  )
  SELECT
    past.balance,
    coalesce((
      SELECT sum(amount) FROM ledger_holds
      WHERE account = past.id AND created_at <= $4 AND expires_at > $4 AND (resolved_at IS NULL OR resolved_at > $4)
    ), 0)::bigint AS held,
    coalesce((SELECT -debt.balance FROM past AS debt WHERE debt.kind = 'debt' AND past.kind = 'user'), 0) AS debt
  FROM past
  WHERE past.kind = $3`,
);

/** Indexes: ledger_accounts_owner_key, ledger_entries_pkey backwards, ledger_transfers_pkey. */
const STATEMENT = prepared(
  'ledger_statement',
  `
  SELECT ${TRANSFER_COLUMNS}
  FROM (
    SELECT id FROM ledger_accounts WHERE owner = $1 AND currency = $2 AND kind = $3
  ) AS account
  LEFT JOIN LATERAL (
    SELECT transfer, sequence
    FROM ledger_entries
    WHERE account = account.id AND ($4::bigint IS NULL OR sequence < $4)
    ORDER BY sequence DESC
    LIMIT $5
  ) AS e ON true
  LEFT JOIN (ledger_transfers AS t ${TRANSFER_ACCOUNTS}) ON t.id = e.transfer
  ORDER BY e.sequence DESC`,
);

/** Index: ledger_transfers_pkey. */
const FIND_TRANSFER = prepared(
  'ledger_find_transfer',
  `SELECT ${TRANSFER_COLUMNS} FROM ledger_transfers AS t ${TRANSFER_ACCOUNTS} WHERE t.id = $1`,
);

/** Index: ledger_holds_pkey. */
const FIND_HOLD = prepared(
  'ledger_find_hold',
  `
  SELECT ${HOLD_COLUMNS}, h.status = 'ACTIVE' AND h.expires_at <= statement_timestamp() AS is_over
  FROM ledger_holds AS h ${HOLD_ACCOUNTS}
  WHERE h.id = $1`,
);

/** Index: ledger_holds_expiry_idx. */
const EXPIRED_HOLDS = prepared(
  'ledger_expired_holds',
  `
  SELECT id FROM ledger_holds
  WHERE status = 'ACTIVE' AND expires_at <= clock_timestamp()
  ORDER BY expires_at
  LIMIT $1`,
);

interface AccountRow extends AmountsRow {
  /** Among the keys asked for, from 1. */
  position: number;
  id: AccountId;
  kind: AccountKind;
  owner: string;
  currency: Currency;
  allow_negative: boolean;
  status: AccountStatus;
  sequence: string;
  created_at: Date;
  as_of: Date;
}

/** An account without entries is one row without a transfer. */
type StatementRow = TransferRow | { id: null };

/** Reads the ledger; each method is one statement. */
@Injectable()
export class LedgerReadsRepository {
  constructor(private readonly dataSource: DataSource) {}

  /** In the order of `keys`; undefined for those that do not exist. With `tx` as that transaction sees them. */
  async accounts(keys: readonly AccountKey[], tx?: EntityManager): Promise<(LedgerAccount | undefined)[]> {
    const found = Array.from<LedgerAccount | undefined>({ length: keys.length });
    const values = [keys.map(({ kind }) => kind), keys.map(({ owner }) => owner), keys.map(({ currency }) => currency)];
    const rows = tx
      ? await runPrepared<AccountRow>(runnerOf(tx), FIND_ACCOUNTS, values)
      : await this.read<AccountRow>(FIND_ACCOUNTS, values);
    for (const row of rows) found[row.position - 1] = accountOf(row);
    return found;
  }

  /** Undefined when there is no such account. */
  async balanceAt({ owner, currency, kind }: AccountKey, asOf: Date): Promise<BalanceAt | undefined> {
    const [row] = await this.read<AmountsRow>(BALANCE_AT, [owner, currency, kind, asOf]);
    return row && { ...amountsOf(row, currency), asOf };
  }

  /**
   * The transfers of an account, newest first.
   *
   * @param before below this sequence; null for the newest
   * @returns undefined when there is no such account
   */
  async statement(
    { owner, currency, kind }: AccountKey,
    before: number | null,
    limit: number,
  ): Promise<PostedTransfer[] | undefined> {
    const rows = await this.read<StatementRow>(STATEMENT, [owner, currency, kind, before, limit]);
    return rows.length === 0 ? undefined : rows.filter(hasTransfer).map(transferOf);
  }

  async transfer(id: TransferId): Promise<PostedTransfer | undefined> {
    const [row] = await this.read<TransferRow>(FIND_TRANSFER, [id]);
    return row && transferOf(row);
  }

  /** As its row says, and whether that is ACTIVE though its time is over. */
  async hold(id: HoldId): Promise<{ hold: Hold; isOver: boolean } | undefined> {
    const [row] = await this.read<HoldRow & { is_over: boolean }>(FIND_HOLD, [id]);
    return row && { hold: holdOf(row), isOver: row.is_over };
  }

  /** Ids of active holds whose time is over, the longest overdue first. */
  async expiredHolds(limit: number): Promise<HoldId[]> {
    const rows = await this.read<{ id: HoldId }>(EXPIRED_HOLDS, [limit]);
    return rows.map(({ id }) => id);
  }

  private read<Row extends object>(statement: PreparedStatement, values: unknown[]): Promise<Row[]> {
    return runPreparedAlone<Row>(this.dataSource, statement, values);
  }
}

function hasTransfer(row: StatementRow): row is TransferRow {
  return row.id !== null;
}

function accountOf(row: AccountRow): LedgerAccount {
  const { id, kind, owner, currency, status } = row;
  return {
    id,
    kind,
    owner,
    currency,
    ...amountsOf(row, currency),
    allowNegative: row.allow_negative,
    status,
    sequence: Number(row.sequence),
    createdAt: row.created_at,
    asOf: row.as_of,
  };
}

import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { Currency } from '../../kernel/currency.js';
import { Money } from '../../kernel/money.js';
import type { SystemOwner } from './account.js';

/** What a transfer did to an account. */
export interface PostedEntry {
  readonly transfer: string;
  readonly reference: string | null;
  /** Below zero on the side of the debit. */
  readonly amount: Money;
  readonly postedAt: Date;
}

/** A page of an account's entries; `last` asks for the next one. */
export interface EntryPage {
  readonly entries: readonly PostedEntry[];
  /** The sequence of the last one; null when there are no more. */
  readonly last: string | null;
}

/** Index: ledger_transfers_reference_key; ledger_accounts_pkey. */
const BY_REFERENCE = `
  SELECT
    t.id AS transfer, t.reference, a.currency, t.created_at AS posted_at,
    CASE WHEN t.debit_account = a.id THEN -t.amount ELSE t.amount END AS amount
  FROM ledger_transfers AS t
  JOIN ledger_accounts AS a ON a.id IN (t.debit_account, t.credit_account)
  WHERE t.reference = ANY ($1::text[]) AND t.category = $2 AND a.kind = 'system' AND a.owner = $3`;

/** Index: ledger_accounts_owner_key. */
const CURRENCIES_OF = `
  SELECT currency FROM ledger_accounts WHERE owner = $1 AND kind = 'system' ORDER BY currency`;

/**
 * The first entry at a time or later is found by halves, see `LedgerReadsRepository`: times do not go back along an account.
 * Indexes: ledger_accounts_owner_key, ledger_entries_pkey, ledger_transfers_pkey.
 */
const ENTRIES = `
  WITH RECURSIVE account AS MATERIALIZED (
    SELECT id, sequence FROM ledger_accounts WHERE owner = $1 AND currency = $2 AND kind = 'system'
  ),
  search (id, low, high) AS (
    SELECT id, 0::bigint, sequence FROM account
    UNION ALL
    SELECT
      search.id,
      CASE WHEN e.created_at < $3 THEN e.sequence ELSE low END,
      CASE WHEN e.created_at < $3 THEN high ELSE e.sequence - 1 END
    FROM search
    CROSS JOIN LATERAL (
      SELECT sequence, created_at FROM ledger_entries WHERE account = search.id AND sequence = (low + high + 1) / 2
    ) AS e
    WHERE low < high
  )
  SELECT e.sequence, t.id AS transfer, t.reference, t.currency, e.amount, e.created_at AS posted_at
  FROM account
  JOIN ledger_entries AS e ON e.account = account.id
  JOIN ledger_transfers AS t ON t.id = e.transfer
  WHERE e.sequence > greatest((SELECT max(low) FROM search), $5::bigint) AND e.created_at < $4
  ORDER BY e.sequence
  LIMIT $6`;

interface EntryRow {
  readonly transfer: string;
  readonly reference: string | null;
  readonly currency: Currency;
  readonly amount: string;
  readonly posted_at: Date;
}

/** Reads what was posted to a system account, for those who compare it with the world outside. */
@Injectable()
export class LedgerPostings {
  constructor(private readonly dataSource: DataSource) {}

  /** By their references; what did not touch the account is not among them. */
  async byReference(
    owner: SystemOwner,
    references: readonly string[],
    category: string,
  ): Promise<ReadonlyMap<string, PostedEntry>> {
    if (references.length === 0) return new Map();
    const rows = await this.dataSource.query<EntryRow[]>(BY_REFERENCE, [references, category, owner]);
    return new Map(rows.map((row) => [row.reference ?? '', entryOf(row)]));
  }

  /** In which currencies the owner has an account. */
  async currenciesOf(owner: SystemOwner): Promise<Currency[]> {
    const rows = await this.dataSource.query<{ currency: Currency }[]>(CURRENCIES_OF, [owner]);
    return rows.map(({ currency }) => currency);
  }

  /**
   * In the order they were posted.
   *
   * @param after `last` of the page before
   */
  async between(
    account: { readonly owner: SystemOwner; readonly currency: Currency },
    { from, to }: { readonly from: Date; readonly to: Date },
    after: string | null,
    limit: number,
  ): Promise<EntryPage> {
    const { owner, currency } = account;
    const values = [owner, currency, from, to, after ?? '0', limit];
    const rows = await this.dataSource.query<(EntryRow & { sequence: string })[]>(ENTRIES, values);
    return { entries: rows.map(entryOf), last: rows.length < limit ? null : (rows.at(-1)?.sequence ?? null) };
  }
}

function entryOf({ transfer, reference, currency, amount, posted_at: postedAt }: EntryRow): PostedEntry {
  return { transfer, reference, amount: Money.of(BigInt(amount), currency), postedAt };
}

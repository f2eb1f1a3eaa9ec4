import type { QueryRunner } from 'typeorm';
import { plainArrayLiteral, prepared, runPrepared } from '../../platform/database/index.js';
import type { AccountRef } from './account.js';
import type { AccountState } from './ledger-state.js';

/**
 * The accounts and the time, under their locks, in the order of their ids; the outer SELECT is evaluated once a row is
 * locked. One row of long texts: a thousand rows cost the driver ten times as much. An account of which nothing is held
 * has no hold to look for; of another the first to expire is one probe, within bounds that only ledger_holds_active_idx
 * knows: a plan along ledger_holds_expiry_idx could pass all the holds of others first. Debts are named only where there
 * are any: naming none for each row took 0.1 µs an account, of 1.8. Index: ledger_accounts_pkey.
 */
const LOCK_ACCOUNTS = prepared(
  'ledger_lock_accounts',
  `
  SELECT
    string_agg(balance::text, ',') AS balances, string_agg(held::text, ',') AS held,
    string_agg(sequence::text, ',') AS sequences,
    string_agg(CASE WHEN allow_negative THEN 'N' ELSE '-' END || CASE WHEN status = 'OPEN' THEN '-' ELSE 'F' END, ',')
      AS flags,
    string_agg(id || '>' || debt_account, ',') FILTER (WHERE debt_account IS NOT NULL) AS debts,
    max(date_part('epoch', greatest(clock_timestamp(), last_entry_at))) AS at,
    min(CASE WHEN held > 0 THEN (
      SELECT expires_at
      FROM ledger_holds
      WHERE status = 'ACTIVE'
        AND (account, expires_at) >= (locked.id, '-infinity') AND (account, expires_at) <= (locked.id, 'infinity')
      ORDER BY account, expires_at
      LIMIT 1
    ) END) AS first_expiry
  FROM (
    SELECT id, balance, held, sequence, allow_negative, status, last_entry_at, debt_account
    FROM ledger_accounts
    WHERE id = ANY ($1::uuid[])
    ORDER BY id
    FOR UPDATE
  ) AS locked`,
);

/** Each text has one item an account, between commas. Null when no account is there. */
interface LockedRow {
  balances: string | null;
  held: string | null;
  sequences: string | null;
  /** `N` for one that may be negative, `F` for one that is frozen. */
  flags: string | null;
  /** `<account>><its debt account>` of those that have one, between commas. */
  debts: string | null;
  /** Unix seconds. */
  at: number | null;
  /** Of the active holds. */
  first_expiry: Date | null;
}

/** Accounts under their locks. */
export interface LockedAccounts {
  /** By `accountName`; fewer than asked for when some are not there any more, it does not matter which. */
  readonly accounts: ReadonlyMap<string, AccountState>;
  /** By the id of an account, the id of its debt account. */
  readonly debts: ReadonlyMap<string, string>;
  /** Unix seconds, by the database's clock; never before an entry of one of them. */
  readonly at: number;
  /** Unix milliseconds at which the first of their active holds expires. */
  readonly firstExpiry: number;
}

/**
 * @param refs by `accountName`
 * @param payers names of those that are debtors whether or not they have a debt account yet
 */
export async function lockAccounts(
  runner: QueryRunner,
  refs: ReadonlyMap<string, AccountRef>,
  payers: ReadonlySet<string>,
): Promise<LockedAccounts> {
  const byId = [...refs].toSorted(([, a], [, b]) => (a.id < b.id ? -1 : 1));
  const ids = plainArrayLiteral(byId.map(([, { id }]) => id));
  const [row] = await runPrepared<LockedRow>(runner, LOCK_ACCOUNTS, [ids]);
  const [balances, held, sequences, flags] = [row?.balances, row?.held, row?.sequences, row?.flags].map(
    (text) => text?.split(',') ?? [],
  );
  const debts = debtsOf(row);
  const accounts = new Map<string, AccountState>();
  byId.forEach(([name, ref], index) => {
    const balance = balances?.[index];
    if (balance === undefined) return;
    accounts.set(name, {
      ref,
      balance: BigInt(balance),
      held: BigInt(held?.[index] ?? 0),
      sequence: Number(sequences?.[index]),
      allowNegative: flags?.[index]?.startsWith('N') ?? false,
      frozen: flags?.[index]?.endsWith('F') ?? false,
      isDebtor: debts.has(ref.id) || payers.has(name),
    });
  });
  return { accounts, debts, at: row?.at ?? 0, firstExpiry: row?.first_expiry?.getTime() ?? Infinity };
}

function debtsOf(row: LockedRow | undefined): ReadonlyMap<string, string> {
  const pairs = row?.debts?.split(',').map((pair): [string, string] => {
    const [account = '', debt = ''] = pair.split('>');
    return [account, debt];
  });
  return new Map(pairs);
}

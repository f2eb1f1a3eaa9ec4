import { Injectable } from '@nestjs/common';
import type { EntityManager, QueryRunner } from 'typeorm';
import {
  plainArrayLiteral,
  prepared,
  runnerOf,
  runPrepared,
  TransactionConflictError,
} from '../../platform/database/index.js';
import { AccountDirectory } from './account-directory.js';
import { type AccountKey, accountName, type AccountRef, isSystemOwner } from './account.js';
import { AccountsRepository } from './accounts.repository.js';
import { DebtsRepository } from './debts.repository.js';
import { HOLD_ACCOUNTS, HOLD_COLUMNS, holdOf, type HoldRow } from './hold-row.js';
import {
  type AccountState,
  type BookedHold,
  type BookedTransfer,
  type LedgerState,
  type LoadedLedger,
  referenceName,
} from './ledger-state.js';
import { lockAccounts } from './lock-accounts.js';
import { TRANSFER_ACCOUNTS, TRANSFER_COLUMNS, transferOf, type TransferRow } from './transfer-row.js';
import type { Wanted } from './wanted.js';

/** Before the accounts, and in the order of ids. Index: ledger_holds_pkey. */
const LOCK_HOLDS = prepared(
  'ledger_lock_holds',
  `
  SELECT ${HOLD_COLUMNS}
  FROM ledger_holds AS h ${HOLD_ACCOUNTS}
  WHERE h.id = ANY ($1::uuid[])
  ORDER BY h.id
  FOR UPDATE OF h`,
);

/** Index: ledger_holds_active_idx, or ledger_holds_expiry_idx while little is due at all. */
const FIND_DUE = prepared(
  'ledger_find_due',
  `
  SELECT ${HOLD_COLUMNS}
  FROM ledger_holds AS h ${HOLD_ACCOUNTS}
  WHERE h.account = ANY ($1::uuid[]) AND h.status = 'ACTIVE' AND h.expires_at <= $2
  ORDER BY h.expires_at, h.id`,
);

/** Index: ledger_transfers_pkey. */
const FIND_TRANSFERS = prepared(
  'ledger_find_transfers',
  `SELECT ${TRANSFER_COLUMNS} FROM ledger_transfers AS t ${TRANSFER_ACCOUNTS} WHERE t.id = ANY ($1::uuid[])`,
);

/** Index: ledger_transfers_reverses_key. */
const FIND_REVERSED = prepared(
  'ledger_find_reversed',
  `SELECT reverses AS id FROM ledger_transfers WHERE reverses = ANY ($1::uuid[])`,
);

/** LIMIT: one probe each, whatever the statistics say. Index: ledger_transfers_reference_key. */
const FIND_REFERENCES = prepared(
  'ledger_find_references',
  `
  SELECT wanted.category, wanted.reference
  FROM unnest($1::text[], $2::text[]) AS wanted (category, reference)
  CROSS JOIN LATERAL (
    SELECT FROM ledger_transfers AS t
    WHERE t.reference = wanted.reference AND t.category IS NOT DISTINCT FROM wanted.category
    LIMIT 1
  ) AS used`,
);

interface Locked extends Pick<LedgerState, 'accounts' | 'now' | 'debtors'> {
  readonly isAnyDue: boolean;
  /** Debt accounts. */
  readonly opened: readonly AccountRef[];
}

/** Loads what a batch touches and locks it. */
@Injectable()
export class StateRepository {
  constructor(
    private readonly directory: AccountDirectory,
    private readonly accounts: AccountsRepository,
    private readonly debts: DebtsRepository,
  ) {}

  /**
   * In the order that keeps two batches from waiting for each other in a circle: holds, then accounts, each by id. What
   * accounts guard (references, reversals, holds that are due) is read once they are locked.
   *
   * Holds that are due are locked after their accounts, when they are written. Nobody waits for them the other way round:
   * whoever touches a hold has locked the ledger first, the writer and the sweep as they begin, `Ledger.post` before it
   * reads anything.
   *
   * @throws TransactionConflictError when an account that the directory knew is gone: the database was restored or emptied, and the next
   *   attempt remembers nothing
   */
  async load(tx: EntityManager, wanted: Wanted): Promise<LoadedLedger> {
    const runner = runnerOf(tx);
    const holds = new Map<string, BookedHold>();
    const transfers = new Map<string, BookedTransfer>();
    const refs = new Map<string, AccountRef>();
    if (wanted.holds.size > 0) {
      for (const row of await runPrepared<HoldRow>(runner, LOCK_HOLDS, [[...wanted.holds]])) {
        const hold = holdOf(row);
        holds.set(hold.id, hold);
        add(refs, hold.account, hold.credit);
      }
    }
    if (wanted.transfers.size > 0) {
      for (const row of await runPrepared<TransferRow>(runner, FIND_TRANSFERS, [[...wanted.transfers]])) {
        const transfer = transferOf(row);
        transfers.set(transfer.id, transfer);
        add(refs, transfer.debit, transfer.credit);
      }
    }
    const { found, opened } = await this.resolve(tx, wanted.accounts, refs);
    const { accounts, now, isAnyDue, debtors, opened: debts } = await this.lock(tx, refs, wanted.debtors);
    const due = isAnyDue ? await findDue(runner, accounts, now) : [];
    const references = await findReferences(runner, wanted);
    const reversed = await findReversed(runner, transfers);
    return {
      state: { now, accounts, debtors, holds, due, transfers, references, reversed },
      met: [...found, ...opened],
      opened: [...opened, ...debts],
    };
  }

  /** Adds those that exist to `refs`; system accounts exist once they are asked for. */
  private async resolve(
    tx: EntityManager,
    wanted: ReadonlyMap<string, AccountKey>,
    refs: Map<string, AccountRef>,
  ): Promise<{ found: AccountRef[]; opened: AccountRef[] }> {
    const unknown: AccountKey[] = [];
    for (const [name, key] of wanted) {
      const ref = this.directory.find(name);
      if (ref) refs.set(name, ref);
      else unknown.push(key);
    }
    if (unknown.length === 0) return { found: [], opened: [] };
    const found = await this.accounts.find(tx, unknown);
    add(refs, ...found);
    const missing = unknown.filter(
      (key) => key.kind === 'system' && isSystemOwner(key.owner) && !refs.has(accountName(key)),
    );
    if (missing.length === 0) return { found, opened: [] };
    const opened = await this.accounts.open(
      tx,
      missing.map((key) => ({ ...key, allowNegative: true })),
    );
    add(refs, ...opened);
    // Under READ COMMITTED somebody may have opened one in between: then it is there now.
    if (opened.length < missing.length) add(refs, ...(await this.accounts.find(tx, missing)));
    return { found, opened };
  }

  /** What is due, and owed, is told by the accounts once they are locked. */
  private async lock(
    tx: EntityManager,
    refs: ReadonlyMap<string, AccountRef>,
    payers: ReadonlySet<string>,
  ): Promise<Locked> {
    // Nothing exists that could be decided at any time.
    if (refs.size === 0) return { accounts: new Map(), now: new Date(0), isAnyDue: false, debtors: [], opened: [] };
    const wallets = await lockAccounts(runnerOf(tx), refs, payers);
    if (wallets.accounts.size !== refs.size) {
      this.directory.forget();
      throw new TransactionConflictError(`${refs.size - wallets.accounts.size} accounts are gone`);
    }
    const debts = await this.debts.lock(tx, wallets, payers);
    // Entries are stored in whole milliseconds, so this is not before any of them.
    const now = new Date(Math.floor(Math.max(wallets.at, debts.at) * 1000 + 0.0001));
    return {
      accounts: debts.accounts.size > 0 ? new Map([...wallets.accounts, ...debts.accounts]) : wallets.accounts,
      now,
      isAnyDue: wallets.firstExpiry <= now.getTime(),
      debtors: debts.debtors,
      opened: debts.opened,
    };
  }
}

async function findDue(
  runner: QueryRunner,
  accounts: ReadonlyMap<string, AccountState>,
  now: Date,
): Promise<readonly BookedHold[]> {
  const holders = [...accounts.values()].flatMap(({ ref, held }) => (held > 0n ? [ref.id] : []));
  return (await runPrepared<HoldRow>(runner, FIND_DUE, [plainArrayLiteral(holders), now])).map(holdOf);
}

async function findReferences(runner: QueryRunner, { references }: Wanted): Promise<ReadonlySet<string>> {
  if (references.size === 0) return new Set();
  const pairs = [...references.values()];
  const rows = await runPrepared<{ category: string | null; reference: string }>(runner, FIND_REFERENCES, [
    pairs.map(({ category }) => category),
    pairs.map(({ reference }) => reference),
  ]);
  return new Set(rows.map(({ category, reference }) => referenceName(category, reference)));
}

async function findReversed(
  runner: QueryRunner,
  transfers: ReadonlyMap<string, BookedTransfer>,
): Promise<ReadonlySet<string>> {
  if (transfers.size === 0) return new Set();
  const rows = await runPrepared<{ id: string }>(runner, FIND_REVERSED, [[...transfers.keys()]]);
  return new Set(rows.map(({ id }) => id));
}

function add(refs: Map<string, AccountRef>, ...accounts: AccountRef[]): void {
  for (const account of accounts) refs.set(accountName(account), account);
}

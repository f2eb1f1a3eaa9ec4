import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { runnerOf } from '../../platform/database/index.js';
import { accountName, type AccountRef, debtAccount } from './account.js';
import { AccountsRepository } from './accounts.repository.js';
import type { AccountId } from './ids.js';
import type { AccountState } from './ledger-state.js';
import { lockAccounts, type LockedAccounts } from './lock-accounts.js';

/** The debt accounts that belong to locked accounts, locked as well. */
export interface LockedDebts {
  /** By `accountName`. */
  readonly accounts: ReadonlyMap<string, AccountState>;
  readonly debtors: readonly AccountRef[];
  readonly opened: readonly AccountRef[];
  /** Unix seconds; never before an entry of one of them. */
  readonly at: number;
}

const NONE: LockedDebts = { accounts: new Map(), debtors: [], opened: [], at: 0 };

/**
 * Loads what users owe. Their accounts say whether they ever owed anything, so of all others nothing is asked.
 *
 * Debt accounts are locked after all others. Nobody waits for them the other way round: only who has locked the ledger
 * touches them.
 */
@Injectable()
export class DebtsRepository {
  constructor(private readonly accounts: AccountsRepository) {}

  /** @param payers names of accounts for which one is opened unless they have it */
  async lock(
    tx: EntityManager,
    { accounts, debts }: Pick<LockedAccounts, 'accounts' | 'debts'>,
    payers: ReadonlySet<string>,
  ): Promise<LockedDebts> {
    if (debts.size === 0 && payers.size === 0) return NONE;
    const debtors = [...accounts.values()].filter(({ isDebtor }) => isDebtor).map(({ ref }) => ref);
    if (debtors.length === 0) return NONE;
    const opened = await this.open(
      tx,
      debtors.filter(({ id }) => !debts.has(id)),
    );
    const refs = new Map(opened.map((ref) => [accountName(ref), ref]));
    for (const debtor of debtors) {
      const id = debts.get(debtor.id);
      if (id === undefined) continue;
      const ref = { ...debtAccount(debtor), id: id as AccountId };
      refs.set(accountName(ref), ref);
    }
    const locked = await lockAccounts(runnerOf(tx), refs, new Set());
    return { accounts: locked.accounts, debtors, opened, at: locked.at };
  }

  /** A trigger lets each debtor's account name it. */
  private async open(tx: EntityManager, debtors: readonly AccountRef[]): Promise<AccountRef[]> {
    if (debtors.length === 0) return [];
    return this.accounts.open(
      tx,
      debtors.map((debtor) => ({ ...debtAccount(debtor), allowNegative: true })),
    );
  }
}

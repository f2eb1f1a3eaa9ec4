import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { newId } from '../../kernel/ids.js';
import type { AccountKey, AccountRef, AccountStatus } from './account.js';
import type { AccountId } from './ids.js';

/** LATERAL with LIMIT: one probe a key, whatever the statistics say of a small table. Index: ledger_accounts_owner_key. */
const FIND = `
  SELECT a.id, a.kind, a.owner, a.currency
  FROM unnest($1::text[], $2::text[], $3::text[]) AS wanted (kind, owner, currency)
  CROSS JOIN LATERAL (
    SELECT id, kind, owner, currency
    FROM ledger_accounts
    WHERE owner = wanted.owner AND currency = wanted.currency AND kind = wanted.kind
    LIMIT 1
  ) AS a`;

/** Index: ledger_accounts_owner_key. */
const OPEN = `
  INSERT INTO ledger_accounts (id, kind, owner, currency, allow_negative)
  SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::boolean[])
  ON CONFLICT (owner, currency, kind) DO NOTHING
  RETURNING id, kind, owner, currency`;

/**
 * Locks them first, in the order of their ids, and tells of each what it was. Indexes: ledger_accounts_pkey,
 * ledger_accounts_owner_key.
 */
const SET_STATUS = `
  WITH account AS MATERIALIZED (
    SELECT id, kind, owner, currency, status
    FROM ledger_accounts
    WHERE kind = 'user' AND (id = $1 OR owner = $2)
    ORDER BY id
    FOR NO KEY UPDATE
  ),
  changed AS (
    UPDATE ledger_accounts SET status = $3
    WHERE id IN (SELECT id FROM account WHERE status <> $3)
  )
  SELECT id, kind, owner, currency, status <> $3 AS changed FROM account ORDER BY currency`;

/** A user's account, or all accounts of a user. */
export type Freezable = { readonly id: AccountId } | { readonly owner: string };

export type NewAccount = AccountKey & { readonly allowNegative: boolean };

/** Finds and opens accounts. */
@Injectable()
export class AccountsRepository {
  /** Those that exist, in no order. */
  find(tx: EntityManager, keys: readonly AccountKey[]): Promise<AccountRef[]> {
    return tx.query(FIND, [
      keys.map(({ kind }) => kind),
      keys.map(({ owner }) => owner),
      keys.map(({ currency }) => currency),
    ]);
  }

  /** @returns those that were not open before */
  open(tx: EntityManager, accounts: readonly NewAccount[]): Promise<AccountRef[]> {
    return tx.query(OPEN, [
      accounts.map(() => newId()),
      accounts.map(({ kind }) => kind),
      accounts.map(({ owner }) => owner),
      accounts.map(({ currency }) => currency),
      accounts.map(({ allowNegative }) => allowNegative),
    ]);
  }

  /** @returns those there are, and whether each is changed now */
  setStatus(
    tx: EntityManager,
    which: Freezable,
    status: AccountStatus,
  ): Promise<(AccountRef & { readonly changed: boolean })[]> {
    const [id, owner] = 'id' in which ? [which.id, null] : [null, which.owner];
    return tx.query(SET_STATUS, [id, owner, status]);
  }
}

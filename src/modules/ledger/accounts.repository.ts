import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { newId } from '../../kernel/ids.js';
import type { AccountKey, AccountRef } from './account.js';

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

/** Index: ledger_accounts_owner_key. */
const SET_STATUS = `
  WITH account AS (
    SELECT id FROM ledger_accounts WHERE owner = $1 AND currency = $2 AND kind = $3
  )
  UPDATE ledger_accounts SET status = $4 FROM account WHERE ledger_accounts.id = account.id AND status <> $4
  RETURNING ledger_accounts.id`;

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

  /** @returns its id; undefined when there is no such account, or it has that status already */
  async setStatus(tx: EntityManager, key: AccountKey, status: 'OPEN' | 'FROZEN'): Promise<string | undefined> {
    const [rows] = await tx.query<[{ id: string }[], number]>(SET_STATUS, [key.owner, key.currency, key.kind, status]);
    return rows[0]?.id;
  }
}

import { Injectable } from '@nestjs/common';
import type { AccountRef } from './account.js';
import { accountName } from './account.js';

/** Two generations of this many; about 300 bytes each. */
const GENERATION = 50_000;

/**
 * Which id an account has, from memory. Ids never change and accounts are never deleted, so what was committed once
 * stays true: it saves each posting two look-ups by text. Balances are never kept here.
 */
@Injectable()
export class AccountDirectory {
  private recent = new Map<string, AccountRef>();
  private older = new Map<string, AccountRef>();

  /** @param name see `accountName` */
  find(name: string): AccountRef | undefined {
    const recent = this.recent.get(name);
    if (recent) return recent;
    const older = this.older.get(name);
    if (older) this.keep(name, older);
    return older;
  }

  /** @param accounts as a committed transaction, or a statement of its own, has seen them */
  learn(accounts: Iterable<AccountRef>): void {
    for (const account of accounts) this.keep(accountName(account), account);
  }

  /** For a database that is not the one it was: restored, or emptied. */
  forget(): void {
    this.recent.clear();
    this.older.clear();
  }

  private keep(name: string, account: AccountRef): void {
    if (this.recent.size >= GENERATION) {
      this.older = this.recent;
      this.recent = new Map();
    }
    this.recent.set(name, account);
  }
}

import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { ValidationError } from '../../kernel/app-error.js';
import { isCurrency } from '../../kernel/currency.js';
import type { RequestContext } from '../../platform/auth/index.js';
import { AuditLog } from '../audit/index.js';
import type { AccountKey, AccountRef, AccountStatus } from './account.js';
import { AccountsRepository, type Freezable } from './accounts.repository.js';
import { isOwner } from './check-posting.js';
import { UnknownCurrencyError } from './ledger.errors.js';
import { openedLine } from './posting-audit.js';

/** Opens, freezes and thaws accounts. */
@Injectable()
export class LedgerAccounts {
  constructor(
    private readonly accounts: AccountsRepository,
    private readonly audit: AuditLog,
  ) {}

  /**
   * @returns whether it was opened now; one that exists stays as it is
   * @throws UnknownCurrencyError, ValidationError for an owner that is empty or too long
   */
  async open(tx: EntityManager, key: AccountKey, allowNegative: boolean, by: RequestContext): Promise<boolean> {
    if (!isCurrency(key.currency)) throw new UnknownCurrencyError();
    if (!isOwner(key.owner)) {
      throw ValidationError.of([{ path: 'owner', message: 'owner must have 1 to 255 characters and no U+0000' }]);
    }
    const opened = await this.accounts.open(tx, [{ ...key, allowNegative }]);
    await this.audit.record(
      tx,
      opened.map((account) => openedLine(account, by)),
    );
    return opened.length > 0;
  }

  /**
   * From its commit on, nothing moves in or out of a frozen account.
   *
   * @param reason why, for the audit log
   * @returns the accounts there are, changed or not
   */
  async setStatus(
    tx: EntityManager,
    which: Freezable,
    status: AccountStatus,
    by: RequestContext,
    reason: string,
  ): Promise<readonly AccountRef[]> {
    const accounts = await this.accounts.setStatus(tx, which, status);
    const action = status === 'FROZEN' ? 'ledger_account.frozen' : 'ledger_account.thawed';
    await this.audit.record(
      tx,
      accounts
        .filter(({ changed }) => changed)
        .map(({ id, kind, owner, currency }) => ({
          ...by,
          action,
          subject: `ledger-account:${id}`,
          details: { kind, owner, currency, reason },
        })),
    );
    return accounts;
  }
}

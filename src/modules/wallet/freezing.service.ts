import { Injectable } from '@nestjs/common';
import { NotFoundError } from '../../kernel/app-error.js';
import { isUuid } from '../../kernel/ids.js';
import type { RequestContext } from '../../platform/auth/index.js';
import { IdempotentTransactor, type RequestClaim } from '../../platform/idempotency/index.js';
import { READ_COMMITTED } from '../../platform/transaction/index.js';
import { UsersService } from '../accounts/index.js';
import { isAccountId, Ledger } from '../ledger/index.js';
import { accountView } from './answers/account-view.js';
import type { AccountDto, UserAccountsDto } from './dto/account.dto.js';

type Status = 'FROZEN' | 'OPEN';

/** Stops money from moving, for an account or a user. What is frozen already stays so, and keeps its first reason. */
@Injectable()
export class FreezingService {
  constructor(
    private readonly transactor: IdempotentTransactor,
    private readonly ledger: Ledger,
    private readonly users: UsersService,
  ) {}

  /** @throws NotFoundError, also for a system account */
  setAccount(
    id: string,
    status: Status,
    reason: string,
    context: RequestContext,
    claim: RequestClaim | undefined,
  ): Promise<AccountDto> {
    return this.transactor.run(
      claim,
      async (tx) => {
        const [account] = isAccountId(id) ? await this.ledger.setStatus(tx, { id }, status, context, reason) : [];
        if (account === undefined) throw new NotFoundError('There is no account with this id.');
        return accountView(account);
      },
      READ_COMMITTED,
    );
  }

  /**
   * All accounts a user has now; one that is opened later is not frozen. Who logs in here is logged out as well.
   *
   * @param id as in `userId`; it need not be of somebody who logs in here
   * @throws NotFoundError when the user has no account
   */
  setUser(
    id: string,
    status: Status,
    reason: string,
    context: RequestContext,
    claim: RequestClaim | undefined,
  ): Promise<UserAccountsDto> {
    return this.transactor.run(
      claim,
      async (tx) => {
        const accounts = await this.ledger.setStatus(tx, { owner: id }, status, context, reason);
        if (accounts.length === 0) throw new NotFoundError('This user has no account.');
        if (status === 'FROZEN' && isUuid(id)) await this.users.revokeSessions(tx, id, context);
        return { data: accounts.map(accountView) };
      },
      READ_COMMITTED,
    );
  }
}

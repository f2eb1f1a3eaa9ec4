import { Injectable } from '@nestjs/common';
import { endUserOf, ForbiddenError, type Principal, type RequestContext } from '../../platform/auth/index.js';
import { IdempotentTransactor, type RequestClaim } from '../../platform/idempotency/index.js';
import { READ_COMMITTED } from '../../platform/transaction/index.js';
import { Ledger } from '../ledger/index.js';
import { accountFor, unknownAccount } from './account-access.js';
import { accountView, balanceView } from './answers/account-view.js';
import type { AccountDto, BalanceDto, BalanceQueryDto, OpenAccountDto } from './dto/account.dto.js';

/** Users' accounts and what is in them. */
@Injectable()
export class AccountsService {
  constructor(
    private readonly transactor: IdempotentTransactor,
    private readonly ledger: Ledger,
  ) {}

  /**
   * Opens it unless it is open already; then it stays as it is.
   *
   * @param tell is told before the commit whether it was opened now: that is part of the answer
   * @throws NotFoundError when an end user names another user
   * @throws ForbiddenError when an end user wants to owe
   */
  async open(
    { userId, currency, allowNegative = false }: OpenAccountDto,
    principal: Principal,
    context: RequestContext,
    claim: RequestClaim | undefined,
    tell: (created: boolean) => void,
  ): Promise<AccountDto> {
    const key = accountFor(principal, userId, currency);
    if (allowNegative && endUserOf(principal) !== undefined) {
      throw new ForbiddenError('An end user may not open an account that falls below zero.');
    }
    return this.transactor.run(
      claim,
      async (tx) => {
        const { account, created } = await this.ledger.openAccount(tx, { ...key, allowNegative }, context);
        tell(created);
        return accountView(account);
      },
      READ_COMMITTED,
    );
  }

  /**
   * @throws NotFoundError, also for another user's
   * @throws ValidationError for a time that is still to come
   */
  async balance({ userId, currency, at }: BalanceQueryDto, principal: Principal): Promise<BalanceDto> {
    const key = accountFor(principal, userId, currency);
    const balance = at === undefined ? await this.ledger.account(key) : await this.ledger.balanceAt(key, new Date(at));
    if (!balance) throw unknownAccount();
    return balanceView(key, balance);
  }
}

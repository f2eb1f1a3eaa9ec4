import { Injectable } from '@nestjs/common';
import { NotFoundError } from '../../kernel/app-error.js';
import { Money } from '../../kernel/money.js';
import { endUserOf, ForbiddenError, ownerOf, type Principal } from '../../platform/auth/index.js';
import { isTransferId, Ledger, PAYMENT_CATEGORY, type Posting, systemAccount, userAccount } from '../ledger/index.js';
import { accountFor, unknownAccount } from './account-access.js';
import { shownSide, sideOf, transactionView } from './answers/transaction-view.js';
import type { Caller } from './caller.js';
import type {
  NewTransactionDto,
  StatementQueryDto,
  TransactionDto,
  TransactionPageDto,
} from './dto/transaction.dto.js';
import { Postings } from './postings.js';

/** Money across the border of the system, statements, and taking back. */
@Injectable()
export class TransactionsService {
  constructor(
    private readonly postings: Postings,
    private readonly ledger: Ledger,
  ) {}

  /** @throws ForbiddenError when an end user would make money, or use up a reference of whoever charges them */
  async post(transaction: NewTransactionDto, caller: Caller): Promise<TransactionDto> {
    if (endUserOf(caller.principal) !== undefined) {
      if (transaction.type === 'CREDIT') throw new ForbiddenError('An end user may not credit an account.');
      if (transaction.reference !== undefined) throw new ForbiddenError('An end user may not charge by reference.');
    }
    const side = transaction.type === 'CREDIT' ? 'credit' : 'debit';
    return this.postings.transfer(
      postingOf(transaction, ownerOf(caller.principal, transaction.userId)),
      caller,
      (posted) => transactionView(posted, side),
    );
  }

  /**
   * @throws ForbiddenError for an end user, and of what a payment has posted
   * @throws NotFoundError for text that is no id
   */
  async reverse(transferId: string, caller: Caller): Promise<TransactionDto> {
    if (endUserOf(caller.principal) !== undefined) {
      throw new ForbiddenError('An end user may not reverse a transaction.');
    }
    if (!isTransferId(transferId)) throw unknownTransaction();
    const transfer = await this.ledger.transfer(transferId);
    if (transfer?.category === PAYMENT_CATEGORY) {
      throw new ForbiddenError('What a payment has posted is not reversed: refund the payment instead.');
    }
    return this.postings.transfer({ type: 'reverse', transferId }, caller, (posted) =>
      transactionView(posted, shownSide(posted)),
    );
  }

  /** @throws NotFoundError, also for another user's */
  async statement(query: StatementQueryDto, principal: Principal): Promise<TransactionPageDto> {
    const { limit, cursor, userId, currency } = query;
    const page = await this.ledger.statement(accountFor(principal, userId, currency), { limit, cursor });
    if (!page) throw unknownAccount();
    const { data, nextCursor } = page;
    return {
      data: data.map(({ transfer, amount }) => transactionView(transfer, amount.minor < 0n ? 'debit' : 'credit')),
      nextCursor,
    };
  }

  /** @throws NotFoundError, also for one between others */
  async find(transferId: string, principal: Principal): Promise<TransactionDto> {
    const transfer = isTransferId(transferId) ? await this.ledger.transfer(transferId) : undefined;
    const user = endUserOf(principal);
    const side = transfer && (user === undefined ? shownSide(transfer) : sideOf(transfer, user));
    if (!transfer || !side) throw unknownTransaction();
    return transactionView(transfer, side);
  }
}

function postingOf(transaction: NewTransactionDto, userId: string): Posting {
  const { type, amount, currency, description, category, reference, metadata } = transaction;
  const user = userAccount(userId, currency);
  const external = systemAccount('external', currency);
  return {
    type: 'transfer',
    kind: type,
    debit: type === 'CREDIT' ? external : user,
    credit: type === 'CREDIT' ? user : external,
    amount: Money.of(amount, currency),
    description,
    category,
    reference,
    metadata,
  };
}

function unknownTransaction(): NotFoundError {
  return new NotFoundError('There is no transaction with this id.');
}

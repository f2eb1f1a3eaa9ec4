import type { AccountKey, PostedTransfer } from '../../ledger/index.js';
import type { TransactionDto } from '../dto/transaction.dto.js';
import { jsonTime } from './json-time.js';

export type Side = 'debit' | 'credit';

/**
 * From which of its two accounts a transaction is shown: the user's, where one side is not; the payer's, where both are
 * users; the debt, where a frozen account could not pay. A reversal is shown from where its original was.
 */
export function shownSide({ debit, credit, reverses }: PostedTransfer): Side {
  const [first, second]: [Side, Side] = reverses === null ? ['debit', 'credit'] : ['credit', 'debit'];
  const kinds = { debit: debit.kind, credit: credit.kind };
  if (kinds[first] === 'user') return first;
  return kinds[second] === 'system' && kinds[first] === 'debt' ? first : second;
}

/** The side that belongs to this user, or to what they owe; undefined when neither does. */
export function sideOf({ debit, credit }: PostedTransfer, user: string): Side | undefined {
  if (isOf(user, 'user', debit)) return 'debit';
  if (isOf(user, 'user', credit)) return 'credit';
  return isOf(user, 'debt', debit) ? 'debit' : undefined;
}

export function transactionView(posted: PostedTransfer, side: Side): TransactionDto {
  const isDebit = side === 'debit';
  const account = isDebit ? posted.debit : posted.credit;
  const counterparty = isDebit ? posted.credit : posted.debit;
  return {
    id: posted.id,
    type: posted.kind,
    userId: account.owner,
    amount: Number(isDebit ? -posted.amount.minor : posted.amount.minor),
    currency: posted.amount.currency,
    balanceAfter: Number(isDebit ? posted.debitBalanceAfter : posted.creditBalanceAfter),
    sequence: isDebit ? posted.debitSequence : posted.creditSequence,
    counterparty: { kind: counterparty.kind, id: counterparty.owner },
    description: posted.description,
    category: posted.category,
    reference: posted.reference,
    metadata: posted.metadata,
    reverses: posted.reverses,
    holdId: posted.holdId,
    createdAt: jsonTime(posted.createdAt),
  };
}

function isOf(user: string, kind: AccountKey['kind'], account: AccountKey): boolean {
  return account.kind === kind && account.owner === user;
}

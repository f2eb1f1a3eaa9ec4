import type { AccountKey, PostedTransfer } from '../../ledger/index.js';
import type { TransactionDto } from '../dto/transaction.dto.js';
import { jsonTime } from './json-time.js';

export type Side = 'debit' | 'credit';

/**
 * From which of its two accounts a transaction is shown: the user's, where one side is a system account; the payer's,
 * where both are users. A reversal is shown from where its original was.
 */
export function shownSide({ debit, credit, reverses }: PostedTransfer): Side {
  const [first, second]: [Side, Side] = reverses === null ? ['debit', 'credit'] : ['credit', 'debit'];
  return { debit, credit }[first].kind === 'user' ? first : second;
}

/** The side that belongs to this user; undefined when neither does. */
export function sideOf({ debit, credit }: PostedTransfer, user: string): Side | undefined {
  if (isUser(debit, user)) return 'debit';
  return isUser(credit, user) ? 'credit' : undefined;
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

function isUser(account: AccountKey, user: string): boolean {
  return account.kind === 'user' && account.owner === user;
}

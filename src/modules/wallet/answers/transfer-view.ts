import { jsonTime } from './json-time.js';
import type { PostedTransfer } from '../../ledger/index.js';
import type { TransferDto } from '../dto/transfer.dto.js';

/** For the sender's eyes: the receiver's balance is not theirs to see. */
export function transferView(posted: PostedTransfer): TransferDto {
  return {
    id: posted.id,
    fromUserId: posted.debit.owner,
    toUserId: posted.credit.owner,
    amount: Number(posted.amount.minor),
    currency: posted.amount.currency,
    balanceAfter: Number(posted.debitBalanceAfter),
    sequence: posted.debitSequence,
    description: posted.description,
    metadata: posted.metadata,
    createdAt: jsonTime(posted.createdAt),
  };
}

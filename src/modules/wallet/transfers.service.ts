import { Injectable } from '@nestjs/common';
import { Money } from '../../kernel/money.js';
import { BatchRejectedError, type Posting, type PostingOutcome, userAccount } from '../ledger/index.js';
import { transferView } from './answers/transfer-view.js';
import type { Caller } from './caller.js';
import type {
  NewTransferBatchDto,
  NewTransferDto,
  PostedResultDto,
  RejectedResultDto,
  TransferBatchDto,
  TransferDto,
} from './dto/transfer.dto.js';
import { Postings } from './postings.js';

/** Money from user to user. */
@Injectable()
export class TransfersService {
  constructor(private readonly postings: Postings) {}

  transfer(transfer: NewTransferDto, caller: Caller): Promise<TransferDto> {
    return this.postings.transfer(postingOf(transfer), caller, transferView);
  }

  transferBatch({ mode, transfers }: NewTransferBatchDto, caller: Caller): Promise<TransferBatchDto> {
    return this.postings.submit<TransferBatchDto>(transfers.map(postingOf), mode, caller, (outcomes) => {
      const results = outcomes.map(resultOf);
      const isRejected = mode === 'atomic' && results.some(({ status }) => status === 'rejected');
      return isRejected ? new BatchRejectedError(results) : { results };
    });
  }
}

function postingOf({ fromUserId, toUserId, amount, currency, description, metadata }: NewTransferDto): Posting {
  return {
    type: 'transfer',
    kind: 'TRANSFER',
    debit: userAccount(fromUserId, currency),
    credit: userAccount(toUserId, currency),
    amount: Money.of(amount, currency),
    description,
    metadata,
  };
}

function resultOf(outcome: PostingOutcome): PostedResultDto | RejectedResultDto {
  if ('posted' in outcome) return { status: 'posted', transfer: transferView(outcome.posted) };
  if ('held' in outcome) throw new TypeError('The ledger answered a transfer with a hold.');
  return { status: 'rejected', code: outcome.refused.code, detail: outcome.refused.message };
}

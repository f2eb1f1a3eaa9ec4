import { Injectable } from '@nestjs/common';
import type { AnswerContent, IdempotentAnswer } from '../../platform/idempotency/index.js';
import { BatchRejectedError, type Posting, type PostingOutcome, userAccount } from '../ledger/index.js';
import { answerOf, refusalOf } from './answers/answers.js';
import { transferView } from './answers/transfer-view.js';
import type { Caller } from './caller.js';
import type { NewTransferBatchDto, NewTransferDto, PostedResultDto, RejectedResultDto } from './dto/transfer.dto.js';
import { Postings } from './postings.js';

/** Money from user to user. */
@Injectable()
export class TransfersService {
  constructor(private readonly postings: Postings) {}

  transfer(transfer: NewTransferDto, caller: Caller): Promise<IdempotentAnswer> {
    return this.postings.transfer(postingOf(transfer), caller, transferView);
  }

  transferBatch({ mode, transfers }: NewTransferBatchDto, caller: Caller): Promise<IdempotentAnswer> {
    return this.postings.submit(transfers.map(postingOf), mode, caller, (outcomes) =>
      batchAnswer(mode, outcomes, caller),
    );
  }
}

function postingOf({ fromUserId, toUserId, amount, currency, description, metadata }: NewTransferDto): Posting {
  return {
    type: 'transfer',
    kind: 'TRANSFER',
    debit: userAccount(fromUserId, currency),
    credit: userAccount(toUserId, currency),
    amount: BigInt(amount),
    description,
    metadata,
  };
}

function batchAnswer(
  mode: NewTransferBatchDto['mode'],
  outcomes: readonly PostingOutcome[],
  caller: Caller,
): AnswerContent {
  const results = outcomes.map(resultOf);
  const rejected = results.findIndex(({ status }) => status === 'rejected');
  if (mode === 'independent' || rejected === -1) return answerOf(201, { results });
  return refusalOf(new BatchRejectedError(), caller, { results });
}

function resultOf(outcome: PostingOutcome): PostedResultDto | RejectedResultDto {
  if ('posted' in outcome) return { status: 'posted', transfer: transferView(outcome.posted) };
  if ('held' in outcome) throw new TypeError('The ledger answered a transfer with a hold.');
  return { status: 'rejected', code: outcome.refused.code, detail: outcome.refused.message };
}

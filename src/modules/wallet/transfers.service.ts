import { Injectable } from '@nestjs/common';
import { Money } from '../../kernel/money.js';
import { ownerOf } from '../../platform/auth/index.js';
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

  /** @throws ValidationError when a service does not say who pays */
  async transfer(transfer: NewTransferDto, caller: Caller): Promise<TransferDto> {
    return this.postings.transfer(
      postingOf(transfer, ownerOf(caller.principal, transfer.fromUserId, 'fromUserId')),
      caller,
      transferView,
    );
  }

  /** @throws ValidationError when a service does not say who pays */
  async transferBatch({ mode, transfers }: NewTransferBatchDto, caller: Caller): Promise<TransferBatchDto> {
    const postings = transfers.map((transfer, index) =>
      postingOf(transfer, ownerOf(caller.principal, transfer.fromUserId, `transfers.${index}.fromUserId`)),
    );
    return this.postings.submit<TransferBatchDto>(postings, mode, caller, (outcomes) => {
      const results = outcomes.map(resultOf);
      const isRejected = mode === 'atomic' && results.some(({ status }) => status === 'rejected');
      return isRejected ? new BatchRejectedError(results) : { results };
    });
  }
}

function postingOf({ toUserId, amount, currency, description, metadata }: NewTransferDto, fromUserId: string): Posting {
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

import { Injectable } from '@nestjs/common';
import type { AnswerContent, IdempotentAnswer } from '../../platform/idempotency/index.js';
import {
  type Hold,
  Ledger,
  type PostedTransfer,
  type Posting,
  type PostingOutcome,
  type PostingRequest,
} from '../ledger/index.js';
import { answerOf, refusalOf } from './answers/answers.js';
import { type Caller, endUserOf } from './caller.js';

/** Brings to the ledger what a caller asks for, and puts into an answer what became of it. */
@Injectable()
export class Postings {
  constructor(private readonly ledger: Ledger) {}

  /** Posts one transfer or reversal; 201 with its view, or the refusal. */
  transfer(posting: Posting, caller: Caller, view: (posted: PostedTransfer) => object): Promise<IdempotentAnswer> {
    return this.submit([posting], 'atomic', caller, ([outcome]) => {
      if (outcome === undefined || 'held' in outcome) throw new TypeError('The ledger answered a transfer otherwise.');
      return 'refused' in outcome ? refusalOf(outcome.refused, caller) : answerOf(201, view(outcome.posted));
    });
  }

  /** Places or resolves one hold; `status` with its view, or the refusal. */
  hold(posting: Posting, caller: Caller, status: number, view: (hold: Hold) => object): Promise<IdempotentAnswer> {
    return this.submit([posting], 'atomic', caller, ([outcome]) => {
      if (outcome === undefined || 'posted' in outcome) throw new TypeError('The ledger answered a hold otherwise.');
      return 'refused' in outcome ? refusalOf(outcome.refused, caller) : answerOf(status, view(outcome.held));
    });
  }

  /**
   * @param answer runs inside the batch of the ledger, before it commits
   * @throws IdempotencyKeyReusedError (422), and 503 when nothing can be committed
   */
  async submit(
    postings: readonly Posting[],
    mode: PostingRequest['mode'],
    caller: Caller,
    answer: (outcomes: readonly PostingOutcome[]) => AnswerContent,
  ): Promise<IdempotentAnswer> {
    const { principal, context, claim } = caller;
    const submission = await this.ledger.submit({
      postings,
      mode,
      by: context,
      onlyOwner: endUserOf(principal),
      claim,
      answer,
    });
    const { answer: content, firstAnsweredAt, createdAt } = submission;
    if (content === undefined) throw new TypeError('The ledger answered a submission without its answer.');
    return { content, firstAnsweredAt, createdAt };
  }
}

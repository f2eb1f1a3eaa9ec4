import { Injectable } from '@nestjs/common';
import { AppError } from '../../kernel/app-error.js';
import { endUserOf } from '../../platform/auth/index.js';
import {
  type Hold,
  Ledger,
  type PostedTransfer,
  type Posting,
  type PostingOutcome,
  type PostingRequest,
} from '../ledger/index.js';
import type { Caller } from './caller.js';

/** Brings to the ledger what a caller asks for, and makes of it what became of it. */
@Injectable()
export class Postings {
  constructor(private readonly ledger: Ledger) {}

  /** Posts one transfer or reversal. Throws like `submit`. */
  transfer<T extends object>(posting: Posting, caller: Caller, view: (posted: PostedTransfer) => T): Promise<T> {
    return this.submit([posting], 'atomic', caller, ([outcome]) => {
      if (outcome === undefined || 'held' in outcome) throw new TypeError('The ledger answered a transfer otherwise.');
      return 'refused' in outcome ? outcome.refused : view(outcome.posted);
    });
  }

  /** Places or resolves one hold. Throws like `submit`. */
  hold<T extends object>(posting: Posting, caller: Caller, view: (hold: Hold) => T): Promise<T> {
    return this.submit([posting], 'atomic', caller, ([outcome]) => {
      if (outcome === undefined || 'posted' in outcome) throw new TypeError('The ledger answered a hold otherwise.');
      return 'refused' in outcome ? outcome.refused : view(outcome.held);
    });
  }

  /**
   * @param resultOf runs inside the batch of the ledger, before it commits together with its answer: what to return, or the
   *   refusal to throw
   * @throws the refusal; AlreadyAnsweredError, IdempotencyKeyReusedError (422), and 503 when nothing can be committed
   */
  async submit<T extends object>(
    postings: readonly Posting[],
    mode: PostingRequest['mode'],
    { principal, context, claim }: Caller,
    resultOf: (outcomes: readonly PostingOutcome[]) => T | AppError,
  ): Promise<T> {
    let result: T | AppError | undefined;
    const { outcomes, answer, createdAt } = await this.ledger.submit({
      postings,
      mode,
      by: context,
      onlyOwner: endUserOf(principal),
      claim,
      answer: (decided) => {
        result = resultOf(decided);
        return claim.render(result);
      },
    });
    if (answer && createdAt) claim.record(answer, createdAt);
    result ??= resultOf(outcomes);
    if (result instanceof AppError) throw result;
    return result;
  }
}

import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { READ_COMMITTED, type TransactionOptions, Transactor } from '../transaction/index.js';
import { whyNot } from './already-answered.error.js';
import type { AnswerContent, FirstAnswer } from './claim.js';
import { IdempotencyRecords } from './idempotency-records.js';
import type { RequestClaim } from './request-claim.js';

/** Transactions that record what they answer: effect and answer of a request commit together, once a key. */
@Injectable()
export class IdempotentTransactor {
  constructor(
    private readonly transactor: Transactor,
    private readonly records: IdempotencyRecords,
  ) {}

  /**
   * Like `Transactor.run`. With a claim, once a request, and not at all for a repeat.
   *
   * @param work returns what the handler will return: it is rendered here, and sent as it was recorded
   * @throws AlreadyAnsweredError, IdempotencyKeyReusedError (422), IdempotencyKeyInUseError (409); and what `work` throws
   */
  async run<T>(
    claim: RequestClaim | undefined,
    work: (tx: EntityManager) => Promise<T>,
    options?: TransactionOptions,
  ): Promise<T> {
    if (claim === undefined) return this.transactor.run(work, options);
    const { result, answer, createdAt } = await this.transactor.run(async (tx) => {
      await this.requireFree(tx, claim);
      const done = await work(tx);
      return { result: done, ...(await this.store(tx, claim, claim.render(done))) };
    }, options);
    claim.record(answer, createdAt);
    return result;
  }

  /** Records a refusal: it has no effect, and what there was of one has been rolled back. Throws like `run`. */
  async keep(claim: RequestClaim, refusal: AnswerContent): Promise<FirstAnswer> {
    const { answer, createdAt } = await this.transactor.run(async (tx) => {
      await this.requireFree(tx, claim);
      return this.store(tx, claim, refusal);
    }, READ_COMMITTED);
    return claim.record(answer, createdAt);
  }

  private async requireFree(tx: EntityManager, claim: RequestClaim): Promise<void> {
    const [known] = await this.records.find(tx, [claim]);
    if (known !== undefined) throw whyNot(claim, known);
  }

  private async store(
    tx: EntityManager,
    claim: RequestClaim,
    answer: AnswerContent,
  ): Promise<{ answer: AnswerContent; createdAt: Date }> {
    return { answer, createdAt: await this.records.complete(tx, [{ claim, answer }]) };
  }
}

import { Injectable } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { answerWith } from './answer-writer.js';
import type { IdempotencyClaim, IdempotentAnswer } from './claim.js';
import { IdempotencyOutcomes } from './idempotency-outcomes.js';
import { Repeats } from './repeats.js';

/**
 * For `inTransaction` routes: answers known repeats, and sends what the handler has committed as it is. Handlers call it;
 * as an interceptor it cost each request a tenth of its time in observables.
 */
@Injectable()
export class IdempotentAnswers {
  constructor(
    private readonly repeats: Repeats,
    private readonly outcomes: IdempotencyOutcomes,
  ) {}

  /**
   * @param work commits its effect together with its answer; not called for a repeat that is known already
   * @returns the body, for the handler to return
   * @throws what `work` throws
   */
  async give(
    request: FastifyRequest,
    reply: FastifyReply,
    work: () => Promise<IdempotentAnswer>,
  ): Promise<string | undefined> {
    const { idempotency } = request;
    if (idempotency === undefined) return answerWith(reply, (await work()).content);
    if (idempotency.answer !== undefined) return this.repeats.answer(reply, idempotency.answer);
    try {
      return this.answer(request, reply, idempotency.claim, await work());
    } catch (error) {
      this.outcomes.countRefusal(error);
      throw error;
    }
  }

  private answer(
    request: FastifyRequest,
    reply: FastifyReply,
    claim: IdempotencyClaim,
    { content, firstAnsweredAt, createdAt }: IdempotentAnswer,
  ): string | undefined {
    if (firstAnsweredAt !== undefined) {
      return this.repeats.answerFromDatabase(request, reply, claim, { ...content, createdAt: firstAnsweredAt });
    }
    this.outcomes.count('executed');
    if (createdAt !== undefined) this.repeats.remember(claim, content, createdAt);
    return answerWith(reply, content);
  }
}

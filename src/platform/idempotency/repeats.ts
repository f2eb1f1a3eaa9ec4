import { Injectable } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { RateLimiter } from '../rate-limit/index.js';
import { AnswerCache } from './answer-cache.js';
import { announceRepeat, answerWith } from './answer-writer.js';
import type { AnswerContent, IdempotencyClaim } from './claim.js';
import { IdempotencyOutcomes } from './idempotency-outcomes.js';

/** An answer and when it was stored. */
export type FirstAnswer = AnswerContent & { readonly createdAt: Date };

/** Gives answers again. What its methods return is the body, for Nest to send. */
@Injectable()
export class Repeats {
  constructor(
    private readonly cache: AnswerCache,
    private readonly outcomes: IdempotencyOutcomes,
    private readonly limiter: RateLimiter,
  ) {}

  /** A repeat that the guard has recognised, and the rate limiter let pass for free. */
  answer(reply: FastifyReply, answer: FirstAnswer): string | undefined {
    announceRepeat(reply, answer.createdAt, this.cache.ageOf(answer.createdAt));
    return answerWith(reply, answer);
  }

  /** A repeat that only the database knew: it gets back what it was charged, and the next one is found earlier. */
  answerFromDatabase(
    request: FastifyRequest,
    reply: FastifyReply,
    claim: IdempotencyClaim,
    answer: FirstAnswer,
  ): string | undefined {
    this.outcomes.count('database');
    this.limiter.refund(request);
    this.cache.remember(claim, answer, answer.createdAt);
    return this.answer(reply, answer);
  }

  /** After the commit of a first answer. */
  remember(claim: IdempotencyClaim, content: AnswerContent, createdAt: Date): void {
    this.cache.remember(claim, content, createdAt);
  }
}

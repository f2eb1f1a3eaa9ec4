import { type CallHandler, type ExecutionContext, Injectable, type NestInterceptor } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { lastValueFrom, type Observable, of } from 'rxjs';
import { RateLimiter } from '../rate-limit/index.js';
import { AlreadyAnsweredError } from './already-answered.error.js';
import { AnswerCache } from './answer-cache.js';
import { announceRepeat, answerWith } from './answer-writer.js';
import type { FirstAnswer } from './claim.js';
import { GuardedAttempts } from './guarded-attempts.js';
import { IdempotencyOutcomes } from './idempotency-outcomes.js';
import { IdempotentRoutes } from './idempotent-route.js';
import { IdempotentTransactor } from './idempotent-transactor.js';
import { isKeptRefusal } from './refusal.js';
import type { RequestClaim } from './request-claim.js';
import type { RequestIdempotency } from './request-idempotency.js';

/**
 * Of `@Idempotent` routes: answers repeats without their handler, and sends of all others the very text that was recorded.
 *
 * What it costs is Nest's own: 2 µs a repeat and 4 µs a request that is carried out, however it reads the handler's result.
 */
@Injectable()
export class IdempotencyInterceptor implements NestInterceptor {
  private readonly routes = new IdempotentRoutes();

  constructor(
    private readonly cache: AnswerCache,
    private readonly attempts: GuardedAttempts,
    private readonly transactor: IdempotentTransactor,
    private readonly outcomes: IdempotencyOutcomes,
    private readonly limiter: RateLimiter,
  ) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> | Promise<Observable<unknown>> {
    const http = context.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    const { idempotency } = request;
    if (idempotency === undefined) return next.handle();
    const reply = http.getResponse<FastifyReply>();
    if (idempotency.answer !== undefined) return of(this.repeat(reply, idempotency.claim, idempotency.answer));
    const inTransaction = this.routes.of(context.getHandler())?.inTransaction ?? false;
    return this.carryOut(request, reply, idempotency, next, inTransaction);
  }

  private async carryOut(
    request: FastifyRequest,
    reply: FastifyReply,
    idempotency: RequestIdempotency,
    next: CallHandler,
    inTransaction: boolean,
  ): Promise<Observable<unknown>> {
    const { claim } = idempotency;
    try {
      const answer = inTransaction
        ? await this.recordedBy(claim, next)
        : await this.attempts.run(idempotency, () => resultOf(next));
      if (answer.createdAt !== undefined) {
        this.outcomes.count(idempotency.resumed ? 'resumed' : 'executed');
        this.cache.remember(claim, answer, answer.createdAt);
      }
      return of(answerWith(reply, claim.open(answer)));
    } catch (error) {
      if (error instanceof AlreadyAnsweredError) return of(this.repeatOfDatabase(request, reply, claim, error.answer));
      this.outcomes.countRefusal(error);
      throw error;
    }
  }

  /** The handler records its answer in the transaction of its effect; a refusal, which has none, is recorded after it. */
  private async recordedBy(claim: RequestClaim, next: CallHandler): Promise<FirstAnswer> {
    try {
      await resultOf(next);
    } catch (error) {
      if (!isKeptRefusal(error)) throw error;
      return claim.recorded ?? (await this.transactor.keep(claim, claim.render(error)));
    }
    if (claim.recorded === undefined) {
      throw new TypeError(`${claim.scope} has recorded no answer: pass its @Claim() on to IdempotentTransactor.run.`);
    }
    return claim.recorded;
  }

  /** The rate limiter has let it pass for free. */
  private repeat(reply: FastifyReply, claim: RequestClaim, answer: FirstAnswer): string | undefined {
    announceRepeat(reply, answer.createdAt, this.cache.ageOf(answer.createdAt));
    return answerWith(reply, claim.open(answer));
  }

  /** A repeat that only the database knew: it gets back what it was charged, and the next one is found earlier. */
  private repeatOfDatabase(
    request: FastifyRequest,
    reply: FastifyReply,
    claim: RequestClaim,
    answer: FirstAnswer,
  ): string | undefined {
    this.outcomes.count('database');
    this.limiter.refund(request);
    this.cache.remember(claim, answer, answer.createdAt);
    return this.repeat(reply, claim, answer);
  }
}

function resultOf(next: CallHandler): Promise<unknown> {
  return lastValueFrom(next.handle(), { defaultValue: undefined });
}

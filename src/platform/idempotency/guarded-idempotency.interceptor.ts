import { type CallHandler, type ExecutionContext, Injectable, Logger, type NestInterceptor } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { from, lastValueFrom, map, type Observable, of } from 'rxjs';
import { isDatabaseUnavailable } from '../database/index.js';
import { CommitOutcomeUnknownError } from '../transaction/index.js';
import { answerOf, answerWith } from './answer-writer.js';
import { AttemptsInFlight } from './attempts-in-flight.js';
import type { AnswerContent, IdempotencyClaim, KnownClaim } from './claim.js';
import { IdempotencyKeyInUseError, IdempotencyKeyReusedError } from './idempotency.errors.js';
import { IdempotencyOutcomes } from './idempotency-outcomes.js';
import { IdempotencyStore, type Ownership } from './idempotency-store.js';
import { isKept, keptRefusal } from './refusal.js';
import { Repeats } from './repeats.js';
import type { RequestIdempotency } from './request-idempotency.js';

/** The request, its key and where to answer it. */
interface Exchange {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly idempotency: RequestIdempotency;
}

/**
 * For routes whose work cannot commit together with its answer: claims the key, runs the handler, stores what it answers.
 * Each step is one commit of its own; a crash between two leaves the claim, and the next request with the key takes over
 * once its lock has ended.
 */
@Injectable()
export class GuardedIdempotencyInterceptor implements NestInterceptor<unknown, string | undefined> {
  private readonly logger = new Logger(GuardedIdempotencyInterceptor.name);

  constructor(
    private readonly store: IdempotencyStore,
    private readonly attempts: AttemptsInFlight,
    private readonly repeats: Repeats,
    private readonly outcomes: IdempotencyOutcomes,
  ) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<string | undefined> {
    const http = context.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    const reply = http.getResponse<FastifyReply>();
    const { idempotency } = request;
    if (idempotency === undefined) {
      return next.handle().pipe(map((result) => answerWith(reply, answerOf(reply, result))));
    }
    if (idempotency.answer !== undefined) return of(this.repeats.answer(reply, idempotency.answer));
    return from(this.claimAndRun({ request, reply, idempotency }, next));
  }

  private async claimAndRun(exchange: Exchange, next: CallHandler): Promise<string | undefined> {
    const { claim } = exchange.idempotency;
    const askedAt = performance.now();
    const acquired = await this.store.acquire(claim);
    if ('known' in acquired) return this.answerKnown(exchange, claim, acquired.known);
    exchange.idempotency.resumed = acquired.resumed;
    exchange.idempotency.signal = this.attempts.hold(acquired, askedAt);
    try {
      return await this.run(exchange, acquired, next);
    } finally {
      this.attempts.drop(acquired);
    }
  }

  private async run(
    { request, reply, idempotency }: Exchange,
    attempt: Ownership,
    next: CallHandler,
  ): Promise<string | undefined> {
    let answer: AnswerContent | undefined;
    try {
      answer = answerOf(reply, await lastValueFrom(next.handle(), { defaultValue: undefined }));
    } catch (error) {
      answer = keptRefusal(error, request);
      if (answer === undefined) {
        // What may have been committed must not be done again as if nothing had happened: the claim stays, and who takes
        // over is told that it resumes.
        if (!isDatabaseUnavailable(error) && !(error instanceof CommitOutcomeUnknownError))
          await this.giveBack(attempt);
        throw error;
      }
    }
    if (!isKept(answer.status)) {
      await this.giveBack(attempt);
      return answerWith(reply, answer);
    }
    const createdAt = await this.store.complete(attempt, answer);
    if (createdAt === undefined) return this.answerLost({ request, reply, idempotency }, attempt.claim);
    this.outcomes.count(idempotency.resumed ? 'resumed' : 'executed');
    this.repeats.remember(attempt.claim, answer, createdAt);
    return answerWith(reply, answer);
  }

  /** Another attempt has taken over: what it answers is the answer. */
  private async answerLost(exchange: Exchange, claim: IdempotencyClaim): Promise<string | undefined> {
    const known = await this.store.find(claim);
    return this.answerKnown(
      exchange,
      claim,
      known ?? { state: 'in_flight', fingerprint: claim.fingerprint, retryAfter: 1 },
    );
  }

  private answerKnown({ request, reply }: Exchange, claim: IdempotencyClaim, known: KnownClaim): string | undefined {
    if (known.fingerprint !== claim.fingerprint) {
      this.outcomes.count('reused');
      throw new IdempotencyKeyReusedError();
    }
    if (known.state === 'in_flight') {
      this.outcomes.count('in_use');
      throw new IdempotencyKeyInUseError(known.retryAfter);
    }
    return this.repeats.answerFromDatabase(request, reply, claim, known.answer);
  }

  /** If that fails, the next request with the key waits for the end of the lock, and is told that it resumes. */
  private async giveBack(attempt: Ownership): Promise<void> {
    try {
      await this.store.release(attempt);
    } catch (error) {
      this.logger.warn({ msg: 'An idempotency key could not be given back', scope: attempt.claim.scope, err: error });
    }
  }
}

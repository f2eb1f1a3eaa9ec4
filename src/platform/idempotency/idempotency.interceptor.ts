import { type CallHandler, type ExecutionContext, Injectable, type NestInterceptor } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { map, type Observable, of, tap } from 'rxjs';
import type { IdempotencyClaim, IdempotentAnswer } from './claim.js';
import { IdempotencyOutcomes } from './idempotency-outcomes.js';
import { Repeats } from './repeats.js';
import { answerWith } from './answer-writer.js';

/** For `inTransaction` routes: answers known repeats, and sends what the handler has committed as it is. */
@Injectable()
export class IdempotencyInterceptor implements NestInterceptor<IdempotentAnswer, string | undefined> {
  constructor(
    private readonly repeats: Repeats,
    private readonly outcomes: IdempotencyOutcomes,
  ) {}

  intercept(context: ExecutionContext, next: CallHandler<IdempotentAnswer>): Observable<string | undefined> {
    const http = context.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    const reply = http.getResponse<FastifyReply>();
    const { idempotency } = request;
    if (idempotency === undefined) return next.handle().pipe(map(({ content }) => answerWith(reply, content)));
    if (idempotency.answer !== undefined) return of(this.repeats.answer(reply, idempotency.answer));
    return next.handle().pipe(
      tap({ error: (error: unknown) => this.outcomes.countRefusal(error) }),
      map((answer) => this.answer(request, reply, idempotency.claim, answer)),
    );
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

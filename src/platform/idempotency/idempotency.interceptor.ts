import { type CallHandler, type ExecutionContext, Injectable, type NestInterceptor } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { map, type Observable, of, tap } from 'rxjs';
import type { IdempotencyClaim, IdempotentAnswer } from './claim.js';
import { IdempotencyOutcomes } from './idempotency-outcomes.js';
import { Repeats } from './repeats.js';
import { sendAnswer } from './answer-writer.js';

const ANSWERED = of(undefined);

/** For `inTransaction` routes: answers known repeats, and sends what the handler has committed as it is. */
@Injectable()
export class IdempotencyInterceptor implements NestInterceptor<IdempotentAnswer, void> {
  constructor(
    private readonly repeats: Repeats,
    private readonly outcomes: IdempotencyOutcomes,
  ) {}

  intercept(context: ExecutionContext, next: CallHandler<IdempotentAnswer>): Observable<void> {
    const http = context.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    const reply = http.getResponse<FastifyReply>();
    const { idempotency } = request;
    if (idempotency === undefined) return next.handle().pipe(map(({ content }) => sendAnswer(reply, content)));
    if (idempotency.answer !== undefined) {
      this.repeats.answer(reply, idempotency.answer);
      return ANSWERED;
    }
    return next.handle().pipe(
      tap({ error: (error: unknown) => this.outcomes.countRefusal(error) }),
      map((answer) => this.send(request, reply, idempotency.claim, answer)),
    );
  }

  private send(
    request: FastifyRequest,
    reply: FastifyReply,
    claim: IdempotencyClaim,
    { content, firstAnsweredAt, createdAt }: IdempotentAnswer,
  ): void {
    if (firstAnsweredAt !== undefined) {
      this.repeats.answerFromDatabase(request, reply, claim, { ...content, createdAt: firstAnsweredAt });
      return;
    }
    this.outcomes.count('executed');
    if (createdAt !== undefined) this.repeats.remember(claim, content, createdAt);
    sendAnswer(reply, content);
  }
}

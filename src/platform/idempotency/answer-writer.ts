import type { FastifyReply } from 'fastify';
import { stringifyExactJson } from '../../kernel/exact-json.js';
import type { AnswerContent } from './claim.js';

const NO_CONTENT = 204;

/**
 * Makes the reply this answer. @returns its body, for Nest to send: a text with a content type goes out as it is, and a
 * status that is set by now stays
 */
export function answerWith(reply: FastifyReply, { status, contentType, body }: AnswerContent): string | undefined {
  reply.status(status);
  if (contentType === '') return undefined;
  reply.header('content-type', contentType);
  return body;
}

/**
 * Says that what follows is a repeat.
 *
 * @param createdAt when the first answer was stored
 * @param ageSeconds how long that is ago
 */
export function announceRepeat(reply: FastifyReply, createdAt: Date, ageSeconds: number): void {
  reply
    .header('x-idempotent-replay', 'true')
    .header('x-idempotency-age', ageSeconds)
    .header('x-idempotency-created', createdAt.toISOString())
    .header('idempotent-replayed', 'true');
}

/** What Nest would send for a handler's result, with the status it has chosen by now. 204 is never followed by a body. */
export function answerOf(reply: FastifyReply, result: unknown): AnswerContent {
  const status = reply.statusCode;
  if (result === undefined || result === null || status === NO_CONTENT) return { status, contentType: '', body: '' };
  const given = reply.getHeader('content-type');
  const type = given === undefined ? undefined : String(given);
  if (typeof result === 'string') return { status, contentType: type ?? 'text/plain; charset=utf-8', body: result };
  return { status, contentType: type ?? 'application/json; charset=utf-8', body: stringifyExactJson(result) };
}

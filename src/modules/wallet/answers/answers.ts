import type { AppError } from '../../../kernel/app-error.js';
import { stringifyExactJson } from '../../../kernel/exact-json.js';
import { PROBLEM_JSON, toProblem } from '../../../platform/http/index.js';
import type { AnswerContent } from '../../../platform/idempotency/index.js';
import type { Caller } from '../caller.js';

const JSON_UTF8 = 'application/json; charset=utf-8';

/** An answer as it is stored under its key and sent. */
export function answerOf(status: number, body: object): AnswerContent {
  return { status, contentType: JSON_UTF8, body: stringifyExactJson(body) };
}

/**
 * The same answer the problem filter would make of it: what is refused by the ledger is stored like what is posted.
 *
 * @param extension members of RFC 9457 beside our usual ones
 */
export function refusalOf(error: AppError, { instance, context }: Caller, extension: object = {}): AnswerContent {
  const { problem } = toProblem(error, instance, context.requestId ?? '');
  return { status: problem.status, contentType: PROBLEM_JSON, body: stringifyExactJson({ ...problem, ...extension }) };
}

import type { FastifyRequest } from 'fastify';
import { AppError } from '../../kernel/app-error.js';
import { stringifyExactJson } from '../../kernel/exact-json.js';
import { PROBLEM_JSON, toProblem } from '../http/index.js';
import type { AnswerContent } from './claim.js';

/** Refusals by the state of things, which would be the same however often the request came. */
const STORED: ReadonlySet<number> = new Set([402, 404, 409]);

/** Whether an answer with this status is kept for repeats. What went wrong on the way (400, 401, 429, 5xx) is not. */
export function isKept(status: number): boolean {
  return status < 400 || STORED.has(status);
}

/** Whether a refusal is kept. One that says when to come back is about this moment only. */
export function isKeptRefusal(error: unknown): error is AppError {
  return error instanceof AppError && STORED.has(error.status) && error.retryAfter === undefined;
}

/** The same answer the problem filter would make of it. */
export function refusalAnswer(error: AppError, request: FastifyRequest): AnswerContent {
  const { problem } = toProblem(error, request.url.split('?', 1)[0] ?? '/', request.id);
  return { status: problem.status, contentType: PROBLEM_JSON, body: stringifyExactJson(problem) };
}

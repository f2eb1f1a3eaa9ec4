import { HttpException } from '@nestjs/common';
import { STATUS_CODES } from 'node:http';
import { AppError } from '../../kernel/app-error.js';
import { isDatabaseUnavailable, isSerializationFailure } from '../database/index.js';

/** The content type of every refusal. */
export const PROBLEM_JSON = 'application/problem+json; charset=utf-8';

/** `application/problem+json`, RFC 9457, with our extension members. */
export interface Problem {
  type: string;
  title: string;
  status: number;
  detail: string;
  instance: string;
  code: string;
  error: string;
  details: Readonly<Record<string, unknown>>;
  requestId: string;
}

export interface ProblemAnswer {
  problem: Problem;
  headers: Record<string, string>;
}

interface Explained {
  status: number;
  code: string;
  title: string;
  detail: string;
  details?: Readonly<Record<string, unknown>>;
  extension?: Readonly<Record<string, unknown>>;
  headers?: Readonly<Record<string, string>>;
  retryAfter?: number | undefined;
}

/** Seconds; long enough for a failover to make progress, short enough for a sender's patience. */
const DATABASE_RETRY_AFTER = 5;

/** Codes for the errors Fastify and Nest raise themselves, by status. */
const CODE_BY_STATUS: Readonly<Record<number, string>> = {
  400: 'BAD_REQUEST',
  401: 'UNAUTHENTICATED',
  403: 'FORBIDDEN',
  404: 'NOT_FOUND',
  405: 'METHOD_NOT_ALLOWED',
  408: 'REQUEST_TIMEOUT',
  413: 'PAYLOAD_TOO_LARGE',
  414: 'URI_TOO_LONG',
  415: 'UNSUPPORTED_MEDIA_TYPE',
  417: 'EXPECTATION_FAILED',
  429: 'RATE_LIMIT_EXCEEDED',
  431: 'HEADERS_TOO_LARGE',
};

/** RFC 9457 wants a URI that names the kind of problem; ours need no website. `docs/operations.md` explains each code. */
export function problemType(code: string): string {
  return `urn:holdfast:problem:${code.toLowerCase().replaceAll('_', '-')}`;
}

/** Turns whatever was thrown into the answer a caller may see. Unknown errors become a 500 that tells nothing. */
export function toProblem(error: unknown, instance: string, requestId: string): ProblemAnswer {
  const { status, code, title, detail, details = {}, extension = {}, headers = {}, retryAfter } = explain(error);
  return {
    problem: {
      type: problemType(code),
      title,
      status,
      detail,
      instance,
      code,
      error: title,
      details,
      requestId,
      ...extension,
    },
    headers: { ...headers, ...(retryAfter !== undefined && { 'Retry-After': String(Math.ceil(retryAfter)) }) },
  };
}

function explain(error: unknown): Explained {
  if (error instanceof AppError) {
    const { status, code, title, message, details, extension, headers, retryAfter } = error;
    return { status, code, title, detail: message, details, extension, headers, retryAfter };
  }
  // After the last try: nothing was committed.
  if (isSerializationFailure(error)) {
    return {
      status: 503,
      code: 'SERVICE_UNAVAILABLE',
      title: 'Service unavailable',
      detail: 'Others were changing the same at the same time. Nothing was changed; send the request again.',
      retryAfter: 1,
    };
  }
  if (isDatabaseUnavailable(error)) {
    return {
      status: 503,
      code: 'DATABASE_UNAVAILABLE',
      title: 'Database unavailable',
      detail: 'The database cannot be reached. Send the request again later; what had been stored is recognised.',
      retryAfter: DATABASE_RETRY_AFTER,
    };
  }
  const status = clientErrorStatus(error);
  if (status !== undefined) {
    const title = STATUS_CODES[status] ?? 'Bad request';
    return { status, code: CODE_BY_STATUS[status] ?? 'BAD_REQUEST', title, detail: clientErrorDetail(error, status) };
  }
  return {
    status: 500,
    code: 'INTERNAL_ERROR',
    title: 'Internal error',
    detail: 'Something went wrong on our side. The request id finds it in the log.',
  };
}

/** The message of the error itself, but for those that quote the URL, whose query may hold what must not be repeated. */
function clientErrorDetail(error: unknown, status: number): string {
  const { code, message } = error as { code?: unknown; message?: unknown };
  if (status === 404) return 'There is nothing at this address.';
  if (status === 414) return 'The URL, or a part of it, is too long.';
  if (code === 'FST_ERR_BAD_URL') return 'The URL is not well-formed: it cannot be decoded.';
  return typeof message === 'string' && message !== '' ? message : (STATUS_CODES[status] ?? 'Bad request');
}

/** The 4xx of a Nest HttpException or a Fastify error (which carries `statusCode`). */
function clientErrorStatus(error: unknown): number | undefined {
  const status =
    error instanceof HttpException ? error.getStatus() : (error as { statusCode?: unknown } | null)?.statusCode;
  return typeof status === 'number' && status >= 400 && status < 500 ? status : undefined;
}

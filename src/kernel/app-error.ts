/** A JSON object safe to show to the caller: never a secret, a stack, SQL or a driver's text. */
export type ErrorDetails = Readonly<Record<string, unknown>>;

export interface AppErrorOptions {
  details?: ErrorDetails;
  /** Members beside those every problem has (RFC 9457, section 3.2). */
  extension?: ErrorDetails;
  /** Seconds; becomes the `Retry-After` header. */
  retryAfter?: number;
  /** Extra response headers, for example `X-RateLimit-*`. */
  headers?: Readonly<Record<string, string>>;
  /** Kept for the log, never shown. */
  cause?: unknown;
}

/**
 * The one error type that reaches callers. A subclass fixes `code`, `status` and `title` and is thrown anywhere; the
 * HTTP filter turns it into `application/problem+json` (RFC 9457).
 */
export abstract class AppError extends Error {
  /** Stable, UPPER_SNAKE: what clients switch on. */
  abstract readonly code: string;
  /** HTTP status. */
  abstract readonly status: number;
  /** Short, the same for every occurrence of `code`. */
  abstract readonly title: string;

  readonly details: ErrorDetails;
  readonly extension: ErrorDetails;
  readonly retryAfter: number | undefined;
  readonly headers: Readonly<Record<string, string>>;

  /** @param detail what went wrong this time and how to mend it, for a human */
  constructor(detail: string, options: AppErrorOptions = {}) {
    super(detail, { cause: options.cause });
    this.name = new.target.name;
    this.details = options.details ?? {};
    this.extension = options.extension ?? {};
    this.retryAfter = options.retryAfter;
    this.headers = options.headers ?? {};
  }
}

/** Mistakes named in one answer at most: a batch may have thousands. */
const MAX_ERRORS = 20;
/** Characters of what is said about each: a name of the caller's choice may be as long as the body. */
const MAX_ERROR_TEXT = 300;

/** 400: the input is malformed or breaks a rule. */
export class ValidationError extends AppError {
  readonly code: string = 'VALIDATION_FAILED';
  readonly status = 400;
  readonly title: string = 'The request is not valid';

  /** One entry per wrong field; of more than 20 the first, with their number as `total`. */
  static of(mistakes: readonly { path: string; message: string }[]): ValidationError {
    const errors = mistakes
      .slice(0, MAX_ERRORS)
      .map(({ path, message }) => ({ path: shortened(path), message: shortened(message) }));
    const [first] = errors;
    const total = mistakes.length;
    return new ValidationError(first ? `${first.path}: ${first.message}` : 'The request is not valid.', {
      details: { errors, ...(total > MAX_ERRORS && { total }) },
    });
  }
}

function shortened(text: string): string {
  return text.length <= MAX_ERROR_TEXT ? text : `${text.slice(0, MAX_ERROR_TEXT).toWellFormed()}…`;
}

/** 404: unknown, or not the caller's. The answer is the same for both. */
export class NotFoundError extends AppError {
  readonly code = 'NOT_FOUND';
  readonly status = 404;
  readonly title = 'Not Found';
}

/** 409: the request is valid but the state forbids it. */
export class ConflictError extends AppError {
  readonly code: string = 'CONFLICT';
  readonly status = 409;
  readonly title: string = 'Conflict with the current state';
}

/** 503: a part we depend on cannot serve right now; nothing was committed. Retry after `retryAfter` seconds. */
export class UnavailableError extends AppError {
  readonly code: string = 'SERVICE_UNAVAILABLE';
  readonly status = 503;
  readonly title: string = 'Service unavailable';

  constructor(detail: string, options: AppErrorOptions = {}) {
    super(detail, { retryAfter: 1, ...options });
  }
}

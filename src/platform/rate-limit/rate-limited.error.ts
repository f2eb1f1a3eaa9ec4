import { AppError } from '../../kernel/app-error.js';

/** 429, with `details.retryAfter` (seconds) and `details.resetAt` (RFC 3339). */
export class RateLimitedError extends AppError {
  readonly code = 'RATE_LIMIT_EXCEEDED';
  readonly status = 429;
  readonly title = 'Too many requests';

  constructor(retryAfter: number, resetAt: string) {
    super(`The limit is used up; try again in ${retryAfter} s.`, { details: { retryAfter, resetAt }, retryAfter });
  }
}

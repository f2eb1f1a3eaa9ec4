import { AppError } from '../../kernel/app-error.js';
import type { Decision } from './decision.js';

/** 429, with `details.retryAfter` (seconds) and `details.resetAt` (RFC 3339). */
export class RateLimitedError extends AppError {
  readonly code = 'RATE_LIMIT_EXCEEDED';
  readonly status = 429;
  readonly title = 'Too many requests';

  /** @param now unix milliseconds of the decision */
  constructor({ retryAfterMs }: Decision, now: number) {
    const resetAt = new Date(now + retryAfterMs).toISOString();
    const retryAfter = Math.ceil(retryAfterMs / 1000);
    super(`The limit is used up; try again in ${retryAfter} s.`, { details: { retryAfter, resetAt }, retryAfter });
  }
}

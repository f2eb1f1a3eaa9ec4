import { AppError } from '../../kernel/app-error.js';
import type { Decision } from './decision.js';

/** 429, with `details.retryAfter` (seconds) and `details.resetAt` (RFC 3339). */
export class RateLimitedError extends AppError {
  readonly code = 'RATE_LIMIT_EXCEEDED';
  readonly status = 429;
  readonly title = 'Too many requests';

  /**
   * @param now unix milliseconds of the decision
   * @param headers where the reply is not at hand: those of `rateLimitFields`
   * @param detail where the limit has words of its own
   */
  constructor(
    { retryAfterMs }: Pick<Decision, 'retryAfterMs'>,
    now: number,
    { headers = {}, detail }: { headers?: Record<string, string>; detail?: string } = {},
  ) {
    const resetAt = new Date(now + retryAfterMs).toISOString();
    const retryAfter = Math.ceil(retryAfterMs / 1000);
    const details = { retryAfter, resetAt };
    super(detail ?? `The limit is used up; try again in ${retryAfter} s.`, { details, retryAfter, headers });
  }
}

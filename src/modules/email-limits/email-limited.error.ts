import { AppError } from '../../kernel/app-error.js';
import { emailLimitHeaders } from './email-limit-headers.js';
import { type EmailLimitReading, secondsToReset } from './email-limit-reading.js';

/** 429, as `RateLimitedError`: `details.retryAfter` (seconds) and `details.resetAt` (RFC 3339), with the headers of limits. */
export class EmailLimitedError extends AppError {
  readonly code = 'RATE_LIMIT_EXCEEDED';
  readonly status = 429;
  readonly title = 'Too many requests';

  constructor(reading: EmailLimitReading) {
    // None left and nothing to wait for: the last attempt has left the window since the decision.
    const retryAfter = Math.max(1, secondsToReset(reading));
    const resetAt = (reading.resetAt ?? reading.asOf).toISOString();
    super(`The limit of this address is used up; try again in ${retryAfter} s.`, {
      details: { retryAfter, resetAt },
      retryAfter,
      headers: emailLimitHeaders(reading),
    });
  }
}

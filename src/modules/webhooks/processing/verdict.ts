import { backoffDelay } from '../../../kernel/backoff.js';
import { PermanentWebhookError, RetryAfterError } from './handler.errors.js';

/** What becomes of an event whose attempt failed. */
export type Verdict = { status: 'FAILED'; delayMs: number } | { status: 'DEAD_LETTER' };

const BACKOFF_CAP_MS = 3_600_000;
/** A handler may ask for more patience than the back-off has, but not for ever. */
const RETRY_AFTER_CAP_MS = 24 * 3_600_000;

/** A permanent failure, or the last retry used up, is a dead letter; else the handler's wish, else exponential back-off. */
export function verdictOn(
  event: { retryCount: number; maxRetries: number },
  error: unknown,
  backoffBaseMs: number,
): Verdict {
  if (error instanceof PermanentWebhookError || event.retryCount >= event.maxRetries) return { status: 'DEAD_LETTER' };
  const delayMs =
    error instanceof RetryAfterError
      ? Math.min(error.seconds * 1000, RETRY_AFTER_CAP_MS)
      : backoffDelay(event.retryCount, { baseMs: backoffBaseMs, capMs: BACKOFF_CAP_MS });
  return { status: 'FAILED', delayMs };
}

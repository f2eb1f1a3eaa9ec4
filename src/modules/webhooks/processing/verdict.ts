import { backoffDelay } from '../../../kernel/backoff.js';
import { isSerializationFailure } from '../../../platform/database/index.js';
import { PermanentWebhookError, RetryAfterError } from './handler.errors.js';

/** What becomes of an event whose attempt failed. */
export type Verdict = { status: 'FAILED'; delayMs: number; usesRetry: boolean } | { status: 'DEAD_LETTER' };

const BACKOFF_CAP_MS = 3_600_000;
/** A handler may ask for more patience than the back-off has, but not for ever. */
const RETRY_AFTER_CAP_MS = 24 * 3_600_000;

/** Attempts after which an event that always loses to rivals is treated as any that fails. */
const MOST_LOST_TO_RIVALS = 20;

/**
 * Rivals in the way cost no retry. A permanent failure, or the last retry used up, is a dead letter; else the handler's wish,
 * else exponential back-off.
 */
export function verdictOn(
  event: { retryCount: number; maxRetries: number; attempts: number },
  error: unknown,
  backoffBaseMs: number,
): Verdict {
  const backoff = () => backoffDelay(event.retryCount, { baseMs: backoffBaseMs, capMs: BACKOFF_CAP_MS });
  // That others changed the same rows, even each time it was run again, says nothing about the event.
  if (isSerializationFailure(error) && event.attempts < MOST_LOST_TO_RIVALS) {
    return { status: 'FAILED', delayMs: backoff(), usesRetry: false };
  }
  if (error instanceof PermanentWebhookError || event.retryCount >= event.maxRetries) return { status: 'DEAD_LETTER' };
  const delayMs = error instanceof RetryAfterError ? Math.min(error.seconds * 1000, RETRY_AFTER_CAP_MS) : backoff();
  return { status: 'FAILED', delayMs, usesRetry: true };
}

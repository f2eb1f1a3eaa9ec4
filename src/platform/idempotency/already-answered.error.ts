import type { FirstAnswer, IdempotencyClaim, KnownClaim } from './claim.js';
import { IdempotencyKeyInUseError, IdempotencyKeyReusedError } from './idempotency.errors.js';

/**
 * The request is a repeat: nothing was done, and this is its answer. Thrown by whoever would have carried it out, and caught
 * by the `IdempotencyInterceptor` alone.
 */
export class AlreadyAnsweredError extends Error {
  override readonly name = 'AlreadyAnsweredError';

  constructor(readonly answer: FirstAnswer) {
    super('The request was answered before');
  }
}

/** Why a request is not carried out whose key is known: what to throw. */
export function whyNot(
  claim: IdempotencyClaim,
  known: KnownClaim,
): AlreadyAnsweredError | IdempotencyKeyReusedError | IdempotencyKeyInUseError {
  if (known.fingerprint !== claim.fingerprint) return new IdempotencyKeyReusedError();
  if (known.state === 'in_flight') return new IdempotencyKeyInUseError(known.retryAfter);
  return new AlreadyAnsweredError(known.answer);
}

import { UnavailableError } from '../../kernel/app-error.js';

/**
 * 503: somebody else has held the lock for as long as we would wait. Not a 409: it says nothing about the request, which
 * may succeed when it is sent again, so it must not be kept as the answer to an idempotency key.
 */
export class LockNotAcquiredError extends UnavailableError {
  override readonly code = 'LOCK_NOT_ACQUIRED';
  override readonly title = 'Somebody else is at it';

  constructor(readonly key: string) {
    super('Others are working on the same thing. Send the request again in a moment.');
  }
}

/** 503: the lock ended while its holder was at work, or somebody has held it since; what comes too late is refused. */
export class LockLostError extends UnavailableError {
  override readonly code = 'LOCK_LOST';
  override readonly title = 'Lock lost';

  constructor(readonly key: string) {
    super('The work took longer than it was allowed to keep others waiting. Send the request again.');
  }
}

/** 503: locks are kept in Redis, and Redis, or more than half of its servers, cannot be asked. */
export class LocksUnavailableError extends UnavailableError {
  override readonly code = 'LOCKS_UNAVAILABLE';
  override readonly title = 'Locks unavailable';

  constructor(cause?: unknown) {
    super('Locks cannot be taken right now. Send the request again later.', { cause });
  }
}

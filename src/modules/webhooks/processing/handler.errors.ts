/** Thrown by a handler that knows trying again is useless: the event goes to the dead letters at once. */
export class PermanentWebhookError extends Error {
  override readonly name = 'PermanentWebhookError';
}

/** Thrown by a handler that knows when to try again; counts as a retry. */
export class RetryAfterError extends Error {
  override readonly name = 'RetryAfterError';

  /** @param seconds from now, by the database's clock */
  constructor(
    message: string,
    readonly seconds: number,
  ) {
    super(message);
    if (!Number.isFinite(seconds) || seconds < 0) throw new RangeError(`RetryAfterError: ${seconds} is not a wait`);
  }
}

/** The attempt took longer than WEBHOOK_PROCESSING_TIMEOUT_MS and was rolled back. */
export class ProcessingTimeoutError extends Error {
  override readonly name = 'ProcessingTimeoutError';

  constructor(readonly timeoutMs: number) {
    super(`The handlers took longer than ${timeoutMs} ms and were rolled back`);
  }
}

/** Another worker has taken the event (our lease ended): whatever this attempt wrote is rolled back. */
export class ClaimLostError extends Error {
  override readonly name = 'ClaimLostError';

  constructor(cause: unknown) {
    super('The claim on a webhook event was lost before it was done', { cause });
  }
}

/** The process ends: the attempt is rolled back and the event given back as it was. */
export class HandedBackError extends Error {
  override readonly name = 'HandedBackError';

  constructor() {
    super('The server is shutting down; the event goes back to the queue');
  }
}

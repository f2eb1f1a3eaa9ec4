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

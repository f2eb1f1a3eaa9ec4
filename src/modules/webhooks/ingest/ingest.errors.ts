import { AppError, NotFoundError } from '../../../kernel/app-error.js';

/** 404: nothing listens under this name. */
export class UnknownSourceError extends NotFoundError {
  constructor(name: string) {
    super(`There is no webhook source named "${name.slice(0, 64)}".`);
  }
}

/** 403: the address is not on the source's list. */
export class IpNotAllowedError extends AppError {
  readonly code = 'IP_NOT_ALLOWED';
  readonly status = 403;
  readonly title = 'Address not allowed';

  constructor(ip: string) {
    super(`${ip} is not on this source's list of allowed addresses.`);
  }
}

/** 400: verified, but signed too long ago or in the future. */
export class TimestampOutOfToleranceError extends AppError {
  readonly code = 'WEBHOOK_TIMESTAMP_OUT_OF_TOLERANCE';
  readonly status = 400;
  readonly title = 'Webhook timestamp out of tolerance';

  /** @param skewSeconds how far the signed time lies after now (negative: before) */
  constructor(skewSeconds: number, toleranceSeconds: number) {
    const direction = skewSeconds < 0 ? 'in the past' : 'in the future';
    super(
      `The signed time is ${Math.round(Math.abs(skewSeconds))} s ${direction}; ${toleranceSeconds} s are allowed. ` +
        'A replayed request is refused on purpose; if this one is fresh, check the clocks.',
      { details: { skewSeconds: Math.round(skewSeconds), toleranceSeconds } },
    );
  }
}

/** 415: verified, but not JSON. */
export class WebhookContentTypeError extends AppError {
  readonly code = 'UNSUPPORTED_MEDIA_TYPE';
  readonly status = 415;
  readonly title = 'Unsupported media type';

  constructor(contentType: string) {
    super(`Webhooks are read as JSON, not as "${contentType.slice(0, 100)}". Set the sender's content type to JSON.`);
  }
}

/** 504: an inline source's handlers took too long; the event is stored and will be retried. */
export class WebhookTimeoutError extends AppError {
  readonly code = 'WEBHOOK_TIMEOUT';
  readonly status = 504;
  readonly title = 'Webhook processing timed out';

  constructor(timeoutMs: number) {
    super(`The handlers took longer than ${timeoutMs} ms. The event is stored and will be processed again.`);
  }
}

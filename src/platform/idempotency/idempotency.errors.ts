import { AppError } from '../../kernel/app-error.js';

/** 400: the route asks for a key and the request has none. */
export class IdempotencyKeyRequiredError extends AppError {
  readonly code = 'IDEMPOTENCY_KEY_REQUIRED';
  readonly status = 400;
  readonly title = 'Idempotency key required';

  constructor() {
    super('Send an Idempotency-Key header with a value of its own for each new request, for example a UUID.');
  }
}

/** 400: the key is malformed, given twice, or two headers give different ones. */
export class IdempotencyKeyInvalidError extends AppError {
  readonly code = 'IDEMPOTENCY_KEY_INVALID';
  readonly status = 400;
  readonly title = 'Idempotency key not valid';
}

/** 409: the first request with the key is still being worked on. */
export class IdempotencyKeyInUseError extends AppError {
  readonly code = 'IDEMPOTENCY_KEY_IN_USE';
  readonly status = 409;
  readonly title = 'A request with this key is in progress';

  /** @param retryAfter seconds */
  constructor(retryAfter: number) {
    super('The first request with this idempotency key has not been answered yet; send it again in a moment.', {
      retryAfter,
    });
  }
}

/** 422: the key belongs to another request. */
export class IdempotencyKeyReusedError extends AppError {
  readonly code = 'IDEMPOTENCY_KEY_REUSED';
  readonly status = 422;
  readonly title = 'Idempotency key used for another request';

  constructor() {
    super('This idempotency key came with a different request before. Repeat that one unchanged, or use a new key.');
  }
}

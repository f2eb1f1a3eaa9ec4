/** The causes an answer did not come for, as the metric calls them. */
export type HttpFailure =
  'invalid' | 'refused_address' | 'unreachable' | 'timeout' | 'aborted' | 'connection_lost' | 'too_large';

/**
 * There is no whole answer. Whoever moves money looks at `mayHaveReached` before anything else: false means that not a byte
 * of the request was written, so that sending another is safe; true, that it may have been carried out, and that only
 * asking the other side tells.
 *
 * Messages name the host, never the rest of the URL, which may hold a secret.
 */
export abstract class HttpClientError extends Error {
  abstract readonly failure: HttpFailure;

  constructor(
    message: string,
    readonly mayHaveReached: boolean,
    cause?: unknown,
  ) {
    super(message, { cause });
    this.name = new.target.name;
  }
}

/** The URL, the method or a header is none that may be sent. */
export class HttpRequestInvalidError extends HttpClientError {
  readonly failure = 'invalid';

  constructor(message: string) {
    super(message, false);
  }
}

/** The host of a request to a `public` target has an address that is not public. */
export class HttpAddressRefusedError extends HttpClientError {
  readonly failure = 'refused_address';

  /** @param address for the log; not in the message, which would tell customers what names resolve to in here */
  constructor(
    host: string,
    readonly address: string,
  ) {
    super(`${host} is not at a public address`, false);
  }
}

/** No connection: the name is unknown, nobody listens, the certificate is wrong, or it took too long. */
export class HttpUnreachableError extends HttpClientError {
  readonly failure = 'unreachable';

  /** @param reason the system's code, such as `ENOTFOUND`, `ECONNREFUSED` or `CERT_HAS_EXPIRED` */
  constructor(
    host: string,
    readonly reason: string,
    cause: unknown,
  ) {
    super(`No connection to ${host}: ${reason}`, false, cause);
  }
}

/** The time for all of it was over. */
export class HttpTimeoutError extends HttpClientError {
  readonly failure = 'timeout';

  constructor(host: string, timeoutMs: number, mayHaveReached: boolean) {
    super(`${host} has not answered within ${timeoutMs} ms`, mayHaveReached);
  }
}

/** The caller's signal, or the end of the process. */
export class HttpAbortedError extends HttpClientError {
  readonly failure = 'aborted';

  constructor(host: string, mayHaveReached: boolean, cause: unknown) {
    super(`The request to ${host} was broken off`, mayHaveReached, cause);
  }
}

/** The request was sent, and then the connection broke, or what came is no answer or only a part of one. */
export class HttpConnectionLostError extends HttpClientError {
  readonly failure = 'connection_lost';

  /** @param reason the code of the system or of `undici`, such as `ECONNRESET` or `HPE_INVALID_CONSTANT` */
  constructor(
    host: string,
    readonly reason: string,
    cause: unknown,
  ) {
    super(`The connection to ${host} broke before its answer was complete: ${reason}`, true, cause);
  }
}

/** The answer is longer than the caller takes. */
export class HttpResponseTooLargeError extends HttpClientError {
  readonly failure = 'too_large';

  constructor(
    host: string,
    readonly status: number,
    maxBytes: number,
  ) {
    super(`The answer of ${host} (${status}) has more than ${maxBytes} bytes`, true);
  }
}

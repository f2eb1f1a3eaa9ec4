import type { Socket } from 'node:net';
import { type Dispatcher, errors } from 'undici';
import {
  HttpAbortedError,
  HttpAddressRefusedError,
  HttpClientError,
  HttpConnectionLostError,
  HttpResponseTooLargeError,
  HttpTimeoutError,
  HttpUnreachableError,
} from './http-client.errors.js';
import type { HttpAnswer, HttpRequest } from './http-request.js';

/** The connection that carries the request. */
export interface Carrier {
  socket?: Socket;
  /** IP, of the other side. */
  address: string;
}

type RawHeaders = Parameters<NonNullable<Dispatcher.DispatchHandler['onResponseStart']>>[2];

/**
 * One request and its answer: undici's options and handler in one.
 *
 * `onRequestStart` comes right before the first byte is written (undici 7.30.2, `client-h1.js`), so that what fails before has
 * never been sent. It is let through once: undici fails the request on a connection that breaks, whatever its method, and
 * sends one again only when it ended the connection itself (`UND_ERR_INFO`), which it does where none is under way; should
 * that ever change, the second time is refused here. Retries and redirects are interceptors, which nobody installs.
 */
export class Exchange implements Dispatcher.DispatchOptions, Dispatcher.DispatchHandler {
  readonly origin: string;
  readonly path: string;
  readonly method: HttpRequest['method'];
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Buffer | null;
  /** @throws HttpClientError */
  readonly answer: Promise<HttpAnswer>;
  carrier: Carrier = { address: '' };
  isSettled = false;

  private readonly chunks: Buffer[] = [];
  private received = 0;
  private isStarted = false;
  private status = 0;
  private answerHeaders: HttpAnswer['headers'] = {};
  private resolve: (answer: HttpAnswer) => void;
  private reject: (error: HttpClientError) => void;
  private readonly timer: NodeJS.Timeout;

  constructor(
    private readonly url: URL,
    private readonly request: HttpRequest,
  ) {
    this.origin = url.origin;
    this.path = url.pathname + url.search;
    this.method = request.method;
    this.headers = request.headers ?? {};
    this.body = request.body ?? null;
    this.answer = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
    const { timeoutMs, signal } = request;
    this.timer = setTimeout(() => this.breakOff(new HttpTimeoutError(url.host, timeoutMs, this.isStarted)), timeoutMs);
    signal?.addEventListener('abort', this.onAbort, { once: true });
    if (signal?.aborted) this.onAbort();
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    // Given up before its turn came, or sent before: aborted here, nothing is written.
    if (this.isSettled || this.isStarted) controller.abort(new Error('Not to be sent any more'));
    else this.isStarted = true;
  }

  onResponseStart(_: Dispatcher.DispatchController, status: number, headers: RawHeaders): void {
    // 1xx come by here too; the last is the answer.
    this.status = status;
    this.answerHeaders = Object.fromEntries(
      Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : value]),
    );
  }

  onResponseData(_: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.isSettled) return;
    const { maxResponseBytes, whenTooLarge = 'fail' } = this.request;
    const room = maxResponseBytes - this.received;
    this.received += chunk.length;
    this.chunks.push(chunk.subarray(0, room));
    if (chunk.length <= room) return;
    if (whenTooLarge === 'truncate') this.finish(true);
    this.breakOff(new HttpResponseTooLargeError(this.url.host, this.status, maxResponseBytes));
  }

  onResponseEnd(): void {
    // A body without a length ends with its connection; one that was reset ended early, which undici overlooks.
    const { errored } = this.carrier.socket ?? {};
    if (errored) this.onResponseError(undefined, errored);
    else this.finish(false);
  }

  onResponseError(_: Dispatcher.DispatchController | undefined, error: Error): void {
    this.fail(this.failureOf(error));
  }

  private readonly onAbort = (): void => {
    this.breakOff(new HttpAbortedError(this.url.host, this.isStarted, this.request.signal?.reason));
  };

  private failureOf(error: Error): HttpClientError {
    const { host } = this.url;
    if (error instanceof HttpAddressRefusedError) return error;
    if (error instanceof errors.ClientDestroyedError) return new HttpAbortedError(host, this.isStarted, error);
    const reason = 'code' in error ? String(error.code) : error.name;
    return this.isStarted
      ? new HttpConnectionLostError(host, reason, error)
      : new HttpUnreachableError(host, reason, error);
  }

  private breakOff(error: HttpClientError): void {
    this.fail(error);
    // The socket, because of undici's own `abort` it thinks that it must connect anew.
    if (this.isStarted) this.carrier.socket?.destroy(error);
  }

  private finish(truncated: boolean): void {
    if (!this.settle()) return;
    const { address } = this.carrier;
    const body = Buffer.concat(this.chunks);
    this.resolve({ status: this.status, headers: this.answerHeaders, body, truncated, address });
  }

  private fail(error: HttpClientError): void {
    if (this.settle()) this.reject(error);
  }

  /** @returns whether it is not settled yet */
  private settle(): boolean {
    if (this.isSettled) return false;
    this.isSettled = true;
    clearTimeout(this.timer);
    this.request.signal?.removeEventListener('abort', this.onAbort);
    return true;
  }
}

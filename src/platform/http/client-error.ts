import type { Socket } from 'node:net';
import { newId } from '../../kernel/ids.js';
import { problemType } from './problem.js';

const ANSWERS: Readonly<Record<string, { status: number; title: string; code: string; detail: string }>> = {
  ERR_HTTP_REQUEST_TIMEOUT: {
    status: 408,
    title: 'Request Timeout',
    code: 'REQUEST_TIMEOUT',
    detail: 'The request did not arrive completely in time.',
  },
  HPE_HEADER_OVERFLOW: {
    status: 431,
    title: 'Request Header Fields Too Large',
    code: 'HEADERS_TOO_LARGE',
    detail: 'The headers are larger than this server reads.',
  },
};

const MALFORMED = {
  status: 400,
  title: 'Bad Request',
  code: 'BAD_REQUEST',
  detail: 'This is not a well-formed HTTP request.',
};

/** So that the other end can read what it is answered before the connection is gone, in milliseconds. */
const LINGER_MS = 1000;

const timedOut = new WeakSet<Socket>();

/** Whether a request on this connection was answered 408. */
export function hasTimedOut(socket: Socket): boolean {
  return timedOut.has(socket);
}

/** Answers what Node could not even read as a request; there is no reply object yet, only a socket. */
export function answerClientError(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return;
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT') timedOut.add(socket);
  const { status, title, code, detail } = ANSWERS[error.code ?? ''] ?? MALFORMED;
  const requestId = newId();
  const type = problemType(code);
  const body = JSON.stringify({ type, title, status, detail, code, error: title, details: {}, requestId });
  socket.end(
    `HTTP/1.1 ${status} ${title}\r\nContent-Type: application/problem+json; charset=utf-8\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\nX-Request-Id: ${requestId}\r\nConnection: close\r\n\r\n${body}`,
  );
  // Who does not close his half would keep the connection, and what has arrived of the request.
  setTimeout(() => socket.destroy(), LINGER_MS).unref();
}

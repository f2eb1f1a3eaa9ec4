import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Socket } from 'node:net';
import { newId } from '../../kernel/ids.js';
import { PROBLEM_JSON, problemType } from './problem.js';

/** What is refused before there is a request that Fastify could answer. */
export interface RawRefusal {
  status: number;
  code: string;
  detail: string;
  headers?: Readonly<Record<string, string>>;
}

const ANSWERS: Readonly<Record<string, RawRefusal>> = {
  ERR_HTTP_REQUEST_TIMEOUT: {
    status: 408,
    code: 'REQUEST_TIMEOUT',
    detail: 'The request did not arrive completely in time.',
  },
  HPE_HEADER_OVERFLOW: {
    status: 431,
    code: 'HEADERS_TOO_LARGE',
    detail: 'The headers are larger than this server reads.',
  },
};

const MALFORMED: RawRefusal = {
  status: 400,
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
  answerAndClose(socket, ANSWERS[error.code ?? ''] ?? MALFORMED, newId());
}

/** Says a refusal on the bare connection and ends it, whatever the other end does with its half. */
export function answerAndClose(socket: Duplex, refusal: RawRefusal, requestId: string): void {
  const { headers, body } = rawAnswer(refusal, requestId);
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(`HTTP/1.1 ${refusal.status} ${STATUS_CODES[refusal.status]}\r\n${lines.join('')}\r\n${body}`);
  setTimeout(() => socket.destroy(), LINGER_MS).unref();
}

/** The same as everything else that is refused: `application/problem+json` with a request id. */
export function rawAnswer({ status, code, detail, headers = {} }: RawRefusal, requestId: string) {
  const title = STATUS_CODES[status] ?? 'Bad Request';
  const body = JSON.stringify({
    type: problemType(code),
    title,
    status,
    detail,
    code,
    error: title,
    details: {},
    requestId,
  });
  return {
    body,
    headers: {
      'Content-Type': PROBLEM_JSON,
      'Content-Length': String(Buffer.byteLength(body)),
      'Cache-Control': 'no-store',
      'X-Request-Id': requestId,
      Connection: 'close',
      ...headers,
    },
  };
}

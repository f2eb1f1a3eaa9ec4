import type { FastifyInstance } from 'fastify';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { AppError, ValidationError } from '../../kernel/app-error.js';
import { answerAndClose, rawAnswer } from './client-error.js';
import { requestId } from './request-id.js';
import { METHODS } from './unrouted.js';

/** 400: HTTP, but not as it is to be. */
class BadRequestError extends AppError {
  readonly code = 'BAD_REQUEST';
  readonly status = 400;
  readonly title = 'Bad Request';
}

/**
 * Answers like everything else what Node would refuse with an empty body or a closed connection: what it cannot promise
 * (`Expect`), tunnels (CONNECT), a missing Host; and refuses two of them and NUL, which it lets pass.
 */
export function refuseOddRequests(fastify: FastifyInstance): void {
  fastify.server.on('checkExpectation', (request: IncomingMessage, response: ServerResponse) => {
    const detail = 'The field Expect can only be "100-continue".';
    const { headers, body } = rawAnswer({ status: 417, code: 'EXPECTATION_FAILED', detail }, requestId(request));
    response.writeHead(417, headers).end(body);
  });
  fastify.server.on('connect', (request: IncomingMessage, socket: Duplex) => {
    const refusal = { status: 405, code: 'METHOD_NOT_ALLOWED', detail: 'This server opens no tunnels.' };
    socket.on('error', () => undefined);
    answerAndClose(socket, { ...refusal, headers: { Allow: METHODS.join(', ') } }, requestId(request));
  });
  fastify.addHook('onRequest', ({ raw }, _reply, done) => done(faultOf(raw)));
}

function faultOf({ url = '', headers, httpVersion, rawHeaders }: IncomingMessage): AppError | undefined {
  if (url.includes('%00')) return new ValidationError('The URL may not contain the character NUL (%00).');
  // RFC 9112, section 3.2: proxies and we must not differ in which of two names is meant.
  if (headers.host === undefined && httpVersion === '1.1') {
    return new BadRequestError('The field Host is missing.');
  }
  return hasTwoHosts(rawHeaders) ? new BadRequestError('The field Host is there twice.') : undefined;
}

/** Of all names few have four letters: this costs a request with twenty fields 40 ns. */
function hasTwoHosts(rawHeaders: readonly string[]): boolean {
  let found = 0;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index];
    if (name?.length === 4 && name.toLowerCase() === 'host') found += 1;
  }
  return found > 1;
}

import type { IncomingMessage } from 'node:http';
import { newId } from '../../kernel/ids.js';

/** What we take over from a caller: long enough to be unique, nothing that could forge a log line. */
const WELL_FORMED = /^[A-Za-z0-9._-]{8,128}$/;

/** The caller's `X-Request-Id` if it is well-formed, else a new one. */
export function requestId(request: Pick<IncomingMessage, 'headers'>): string {
  const given = request.headers['x-request-id'];
  return typeof given === 'string' && WELL_FORMED.test(given) ? given : newId();
}

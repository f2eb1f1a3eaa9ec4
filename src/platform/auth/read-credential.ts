import type { IncomingMessage } from 'node:http';

/** Why a request carries no usable credential. */
export type CredentialFault = 'missing' | 'malformed' | 'ambiguous';

export type ReadCredential = { credential: string } | { fault: CredentialFault };

/** RFC 9110, section 11.1: the scheme's case does not matter. */
const BEARER = /^bearer +([\x21-\x7e]+)$/i;
const PRINTABLE = /^[\x21-\x7e]+$/;

/**
 * Reads the credential of `Authorization: Bearer …` or `X-API-Key: …`. Both may be given when they say the same. A
 * header sent twice is refused: Node keeps the first `Authorization` where a proxy in front may have checked the last.
 */
export function readCredential(request: Pick<IncomingMessage, 'headers' | 'rawHeaders'>): ReadCredential {
  const { authorization, 'x-api-key': apiKey } = request.headers;
  if (authorization === undefined && apiKey === undefined) return { fault: 'missing' };
  if (isRepeated(request.rawHeaders)) return { fault: 'ambiguous' };

  const bearer = authorization === undefined ? undefined : BEARER.exec(authorization)?.[1];
  if (authorization !== undefined && bearer === undefined) return { fault: 'malformed' };
  if (apiKey === undefined) return bearer === undefined ? { fault: 'malformed' } : { credential: bearer };
  if (typeof apiKey !== 'string' || !PRINTABLE.test(apiKey)) return { fault: 'malformed' };
  if (bearer !== undefined && bearer !== apiKey) return { fault: 'ambiguous' };
  return { credential: apiKey };
}

/** @param rawHeaders names and values in turn, as `IncomingMessage.rawHeaders` */
function isRepeated(rawHeaders: readonly string[]): boolean {
  let authorization = 0;
  let apiKey = 0;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] ?? '';
    // Lengths first: this runs for each header of each request.
    if (name.length === 13 && name.toLowerCase() === 'authorization') authorization++;
    else if (name.length === 9 && name.toLowerCase() === 'x-api-key') apiKey++;
  }
  return authorization > 1 || apiKey > 1;
}

import { inspect } from 'node:util';
import { withoutSecrets } from '../logging/index.js';

const MAX_LENGTH = 2000;

/**
 * Mail servers quote in their refusals what they were given: addresses, and the links a filter did not like. A run of 40
 * characters that could be a token is one: 256 bits have 43 in base64url and 64 in hex, a UUID has 36. Links and tokens of
 * ours may go on after the `=` and the line break of quoted-printable (RFC 2045, section 6.7).
 */
const PERSONAL =
  /\bhttps?:\/\/[^\s"'<>]+(?:(?<==)\s+[\w-]+)?|\bhf[rm]_(?:[\w-]|=?\s+(?=[\w-])){1,60}|(?:"[^"\n]{1,64}"|[^\s<>"'(),:;@]{1,64})@[^\s<>"'(),:;@]{1,255}|[\w-]{40,}/g;

/** For the row and the log: the error without secrets, links, tokens and addresses, and within bounds. */
export function describeFailure(error: unknown): string {
  return withoutPersonalData(error instanceof Error ? `${error.name}: ${error.message}` : inspect(error));
}

/** Where it was thrown: the frames alone, for the text before them is the message. */
export function stackOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || error.stack === undefined) return undefined;
  const at = error.stack.indexOf(error.message);
  return at === -1 ? undefined : error.stack.slice(at + error.message.length).trim();
}

function withoutPersonalData(text: string): string {
  // Bounded first: what a far server answers may be long.
  const bounded = text
    .slice(0, 4 * MAX_LENGTH)
    .replaceAll('\0', '')
    .toWellFormed();
  return withoutSecrets(bounded.replaceAll(PERSONAL, '[redacted]')).slice(0, MAX_LENGTH).toWellFormed();
}

import type { IncomingHttpHeaders } from 'node:http';
import { IdempotencyKeyInvalidError } from './idempotency.errors.js';

/** Bare, or as the string of RFC 8941 that the IETF draft asks for: the alphabet leaves nothing to escape in it. */
export const KEY_PATTERN = /^(?:[A-Za-z0-9_-]{16,128}|"[A-Za-z0-9_-]{16,128}")$/;

/**
 * The key of `Idempotency-Key` or `X-Idempotency-Key`; undefined when neither is there. Both may be given when they say
 * the same. Node joins a header that is sent twice with a comma, which no key contains.
 *
 * @throws IdempotencyKeyInvalidError (400)
 */
export function readIdempotencyKey(headers: IncomingHttpHeaders): string | undefined {
  const plain = headers['idempotency-key'];
  const prefixed = headers['x-idempotency-key'];
  if (plain === undefined && prefixed === undefined) return undefined;
  const key = plain === undefined ? undefined : parse('Idempotency-Key', plain);
  const other = prefixed === undefined ? undefined : parse('X-Idempotency-Key', prefixed);
  if (key !== undefined && other !== undefined && key !== other) {
    throw new IdempotencyKeyInvalidError('Idempotency-Key and X-Idempotency-Key differ; send one of them.');
  }
  return key ?? other;
}

function parse(name: string, value: string | string[]): string {
  if (typeof value !== 'string' || !KEY_PATTERN.test(value)) {
    throw new IdempotencyKeyInvalidError(
      `${name} has to come once, with 16 to 128 letters, digits, "-" or "_", for example a UUID.`,
    );
  }
  return value.startsWith('"') ? value.slice(1, -1) : value;
}

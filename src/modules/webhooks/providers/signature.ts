import { createHmac, timingSafeEqual } from 'node:crypto';
import { headerValues } from './request-header.js';
import type { IncomingWebhook, SigningSecret } from './webhook-provider.js';
import { WebhookSignatureInvalidError, WebhookSignatureMissingError } from './webhook-signature.errors.js';

export type DigestAlgorithm = 'sha256' | 'sha384' | 'sha512';
export type SignatureEncoding = 'hex' | 'base64' | 'base64url';

export const DIGEST_BYTES: Readonly<Record<DigestAlgorithm, number>> = { sha256: 32, sha384: 48, sha512: 64 };

/** No leading zero, at most 12 digits: what both ends print the same way and no clock outgrows before the year 33658. */
const UNIX_SECONDS = /^(?:0|[1-9]\d{0,11})$/;

/**
 * A header the signature depends on. Sent twice, one copy could be checked here and the other believed elsewhere.
 *
 * @throws WebhookSignatureMissingError when absent or empty
 * @throws WebhookSignatureInvalidError when sent more than once
 */
export function signedHeader(webhook: IncomingWebhook, name: string): string {
  const values = headerValues(webhook, name);
  if (values.length > 1) throw WebhookSignatureInvalidError.duplicate(name);
  const [value] = values;
  if (value === undefined || value === '') throw new WebhookSignatureMissingError(name);
  return value;
}

/**
 * A signed timestamp, kept as text because its exact spelling is what was signed.
 *
 * @throws WebhookSignatureInvalidError unless it is a plain decimal integer of unix seconds
 */
export function requireUnixSeconds(
  text: string,
  header: string,
  expected = 'whole unix seconds',
): { text: string; seconds: number } {
  if (!UNIX_SECONDS.test(text)) throw WebhookSignatureInvalidError.malformed(header, expected);
  return { text, seconds: Number(text) };
}

export function hmac(algorithm: DigestAlgorithm, key: string | Buffer, ...parts: readonly (string | Buffer)[]): Buffer {
  const mac = createHmac(algorithm, key);
  for (const part of parts) mac.update(part);
  return mac.digest();
}

/**
 * Decodes a signature of exactly `byteLength` bytes. `Buffer.from` skips what it cannot read, so the bytes are encoded
 * again and must spell the same text: stray characters, odd lengths and unused bits all fail. Hex may be of either case;
 * base64 is the padded standard alphabet; base64url may be padded or not (RFC 4648).
 */
export function decodeSignature(text: string, encoding: SignatureEncoding, byteLength: number): Buffer | undefined {
  const bytes = Buffer.from(text, encoding);
  if (bytes.length !== byteLength) return undefined;
  const spelling = bytes.toString(encoding);
  const matches =
    spelling === text ||
    (encoding === 'hex' && spelling === text.toLowerCase()) ||
    (encoding === 'base64url' && spelling.padEnd(Math.ceil(spelling.length / 4) * 4, '=') === text);
  return matches ? bytes : undefined;
}

/** Compares in a time that tells nothing about the content of either. */
export function isAnyOf(expected: Buffer, candidates: readonly Buffer[]): boolean {
  return candidates.some((candidate) => candidate.length === expected.length && timingSafeEqual(candidate, expected));
}

/**
 * The id of the first secret that `matches`.
 *
 * @throws WebhookSignatureInvalidError when none does
 */
export function matchingSecretId(
  secrets: readonly SigningSecret[],
  header: string,
  matches: (secret: string) => boolean,
): string {
  const match = secrets.find((secret) => matches(secret.value));
  if (match === undefined) throw WebhookSignatureInvalidError.mismatch(header);
  return match.id;
}

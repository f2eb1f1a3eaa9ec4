import { createHmac, hash } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import { type CanonicalInput, canonicalJson } from '../../kernel/canonical-json.js';
import { deriveKey } from '../encryption/index.js';

type Texts = Record<string, string | string[]>;

/** A request as the body parser leaves it: JSON values and nothing else. */
export type ClaimingRequest = FastifyRequest<{ Body?: CanonicalInput; Params: Texts; Querystring: Texts }>;

/** Separates this use of ENCRYPTION_KEY from any other. */
const LABEL = 'holdfast/idempotency-fingerprint/v1';

/**
 * What a request asks for, in one unambiguous text: a line break is in none of its parts. The order of members and the
 * spelling of numbers do not count (RFC 8785), white space and headers neither.
 */
export function textOf({ params, query, body }: ClaimingRequest, method: string, route: string): string {
  const content = body === undefined || body === null ? '' : canonicalJson(body);
  return `${method} ${route}\n${objectText(params)}\n${objectText(query)}\n${content}`;
}

/** SHA-256 in hex. */
export function fingerprint(text: string): string {
  return hash('sha256', text, 'hex');
}

/**
 * For bodies that hold a secret: whoever reads the table could try all likely secrets against a plain hash. After a rotation
 * of `ENCRYPTION_KEY` a repeat counts as another request.
 */
export class SecretFingerprint {
  private readonly key: Uint8Array;

  /** @param encryptionKey 32 bytes */
  constructor(encryptionKey: Buffer) {
    this.key = deriveKey(encryptionKey, LABEL);
  }

  /** HMAC-SHA-256 in hex. */
  of(text: string): string {
    return createHmac('sha256', this.key).update(text, 'utf8').digest('hex');
  }
}

function objectText(texts: Texts): string {
  for (const _ in texts) return canonicalJson(texts);
  return '';
}

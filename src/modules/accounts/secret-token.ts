import { createHash, randomBytes } from 'node:crypto';

/** Tells secret scanners, and people who read a log they should not have, what they found. */
export type SecretTokenKind = 'hfr' | 'hfm';

const RANDOM_BYTES = 32;
const TOKEN = /^hf[rm]_[\w-]{43}$/;

/** What is handed out once, and what is kept of it. */
export interface SecretToken {
  readonly token: string;
  readonly hash: Buffer;
}

/** 256 random bits: `hfr_…` refreshes a session, `hfm_…` travels by mail. */
export function newSecretToken(kind: SecretTokenKind): SecretToken {
  const token = `${kind}_${randomBytes(RANDOM_BYTES).toString('base64url')}`;
  return { token, hash: hashOf(token) };
}

/** @returns the SHA-256 it is stored as, or undefined for text that can be no token: nothing has to be looked up for it */
export function secretTokenHash(token: string): Buffer | undefined {
  return TOKEN.test(token) ? hashOf(token) : undefined;
}

function hashOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}

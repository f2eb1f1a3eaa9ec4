import { createHmac } from 'node:crypto';
import { deriveKey } from './derive-key.js';

/** Each separates its use of ENCRYPTION_KEY from any other. */
const KEY_LABEL = 'holdfast/encryption-key-fingerprint/v1';
const JWT_LABEL = 'holdfast/jwt-secret-fingerprint/v1';

/** 32 bits: for people who compare two. */
const SHOWN_DIGITS = 8;

/** Tells one `ENCRYPTION_KEY` from another, and nothing about either: 32 bytes derived from it for nothing else. */
export function keyFingerprint(encryptionKey: Buffer): Buffer {
  return Buffer.from(deriveKey(encryptionKey, KEY_LABEL));
}

/**
 * The same of `JWT_SECRET`, HMAC-SHA-256. That one may be a text that somebody thought of: without `ENCRYPTION_KEY` nobody can
 * try likely ones against it.
 */
export function jwtFingerprint(encryptionKey: Buffer, jwtSecret: Buffer): Buffer {
  return createHmac('sha256', deriveKey(encryptionKey, JWT_LABEL)).update(jwtSecret).digest();
}

/** The beginning of a fingerprint, for logs and errors. */
export function shownFingerprint(fingerprint: Buffer): string {
  return fingerprint.toString('hex').slice(0, SHOWN_DIGITS);
}

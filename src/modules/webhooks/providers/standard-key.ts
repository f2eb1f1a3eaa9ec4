import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';

/** One key of Standard Webhooks: a shared secret for `v1`, an ed25519 key for `v1a`. */
export type StandardKey =
  { kind: 'shared'; secret: Buffer } | { kind: 'public'; key: KeyObject } | { kind: 'private'; key: KeyObject };

/** DER around a raw ed25519 key, RFC 8410. */
const SPKI = Buffer.from('302a300506032b6570032100', 'hex');
const PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex');

/** Reading an ed25519 key takes longer (10 µs and more) than looking it up; more keys than this start over. */
const MAX_CACHED_KEYS = 1000;
const cachedKeys = new Map<string, StandardKey | undefined>();

/** Of the standard alphabet, padded or not, as the reference library takes it. */
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}(?:==)?|[A-Za-z0-9+/]{3}=?)?$/;

/**
 * Reads `whsec_<base64>` (also without the prefix), `whpk_<base64 of 32 bytes>` or `whsk_<base64 of the 32 byte seed,
 * with or without the public key after it>`; undefined for anything else.
 */
export function standardKey(text: string): StandardKey | undefined {
  const isPublic = text.startsWith('whpk_');
  if (!isPublic && !text.startsWith('whsk_')) return sharedKey(text);
  if (cachedKeys.has(text)) return cachedKeys.get(text);
  const key = isPublic ? publicKey(text) : privateKey(text);
  if (cachedKeys.size >= MAX_CACHED_KEYS) cachedKeys.clear();
  cachedKeys.set(text, key);
  return key;
}

function sharedKey(text: string): StandardKey | undefined {
  const secret = decode(text.startsWith('whsec_') ? text.slice('whsec_'.length) : text);
  return secret && { kind: 'shared', secret };
}

function publicKey(text: string): StandardKey | undefined {
  const raw = decode(text.slice('whpk_'.length));
  if (raw?.length !== 32) return undefined;
  return { kind: 'public', key: createPublicKey({ key: Buffer.concat([SPKI, raw]), format: 'der', type: 'spki' }) };
}

function privateKey(text: string): StandardKey | undefined {
  const raw = decode(text.slice('whsk_'.length));
  if (raw?.length !== 32 && raw?.length !== 64) return undefined;
  const der = Buffer.concat([PKCS8, raw.subarray(0, 32)]);
  return { kind: 'private', key: createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }) };
}

function decode(encoded: string): Buffer | undefined {
  return encoded !== '' && BASE64.test(encoded) ? Buffer.from(encoded, 'base64') : undefined;
}

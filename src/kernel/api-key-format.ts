import { randomBytes } from 'node:crypto';
import { crc32 } from 'node:zlib';

export type ApiKeyEnvironment = 'live' | 'test';

const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const RANDOM_BYTES = 32;
/** 62^43 > 2^256 > 62^42. */
const RANDOM_DIGITS = 43;
/** 62^6 > 2^32 > 62^5. */
const CHECKSUM_DIGITS = 6;

const GENERATED = new RegExp(`^hf_(?:live|test)_[0-9A-Za-z]{${RANDOM_DIGITS + CHECKSUM_DIGITS}}$`);
const ANY_KEY = /^hf_[\x21-\x7e]{29,}$/;
const SHOWN = /^hf_(?:(?:live|test)_)?.{4}/;

/**
 * A new key: `hf_<live|test>_`, 256 random bits as 43 base62 digits, and the CRC-32 of all before it as 6 more. The
 * fixed shape lets secret scanners find a leaked key, the checksum lets us refuse a mistyped one without a look-up.
 */
export function generateApiKey(environment: ApiKeyEnvironment): string {
  const number = BigInt(`0x${randomBytes(RANDOM_BYTES).toString('hex')}`);
  const unchecked = `hf_${environment}_${base62(number, RANDOM_DIGITS)}`;
  return unchecked + checksum(unchecked);
}

/** True for anything that may be a key: `hf_` and at least 29 more printable ASCII characters, no space. */
export function isApiKey(text: string): boolean {
  return ANY_KEY.test(text);
}

/**
 * True for text of exactly the generated shape whose checksum is wrong. Keys of any other shape (an operator's own
 * `BOOTSTRAP_API_KEY`) carry no checksum, so nothing can be said against them.
 */
export function isMistypedApiKey(text: string): boolean {
  return GENERATED.test(text) && checksum(text.slice(0, -CHECKSUM_DIGITS)) !== text.slice(-CHECKSUM_DIGITS);
}

/** The part of a key that may be stored, listed and logged: what comes before the secret, and four characters of it. */
export function shownPrefix(key: string): string {
  return SHOWN.exec(key)?.[0] ?? '';
}

function checksum(text: string): string {
  return base62(BigInt(crc32(text)), CHECKSUM_DIGITS);
}

function base62(number: bigint, length: number): string {
  let digits = '';
  for (let rest = number; digits.length < length; rest /= 62n) digits = DIGITS.charAt(Number(rest % 62n)) + digits;
  return digits;
}

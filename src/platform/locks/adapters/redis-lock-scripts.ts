import type Redlock from 'redlock';
import { createHash } from 'node:crypto';

/**
 * Grants a free lock to a token greater than the last one this server has granted it to.
 * KEYS: the lock. ARGV: owner, time to live in ms, fencing token, how long to remember the token in ms. The lock's name
 * is in braces, so the second key is in the same slot. Returns 1: granted; 0: held; below 0: the token has to be greater
 * than this number negated.
 */
const ACQUIRE = `
  if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
  local remembered = KEYS[1] .. ':token'
  local last = redis.call('GET', remembered)
  if last and tonumber(last) >= tonumber(ARGV[3]) then return -tonumber(last) end
  redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
  redis.call('SET', remembered, ARGV[3], 'PX', ARGV[4])
  return 1`;

/** KEYS: the lock. ARGV: owner, time to live in ms. */
const RENEW = `
  if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
  return redis.call('PEXPIRE', KEYS[1], ARGV[2])`;

/** KEYS: the lock. ARGV: owner. */
const RELEASE = `
  if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
  return redis.call('DEL', KEYS[1])`;

const NOTHING = 'return 0';

const TEXTS = new Map(
  [ACQUIRE, RENEW, RELEASE, NOTHING].map((text) => [createHash('sha1').update(text).digest('hex'), text]),
);

/** Trying again is the business of `Locks`. */
export const VOTE: Redlock.Options = {
  retryCount: 0,
  lockScript: () => ACQUIRE,
  extendScript: () => RENEW,
  unlockScript: () => RELEASE,
};

/**
 * When too few servers grant a lock, redlock takes it back from those that did. When too few confirm a renewal it must
 * not: the holder still relies on the lock.
 */
export const RENEWAL_VOTE: Redlock.Options = { ...VOTE, unlockScript: () => NOTHING };

/** @param hash as redlock names a script to Redis */
export function scriptOf(hash: string): string {
  const text = TEXTS.get(hash);
  if (text === undefined) throw new TypeError(`There is no script ${hash}`);
  return text;
}

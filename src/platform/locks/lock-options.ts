export interface LockOptions {
  /**
   * Milliseconds, 100 to 3,600,000: how long the lock outlives a holder that gives no sign of life. A living one renews
   * it, so this bounds the wait after a crash, not the work.
   */
  ttl: number;
  /** Milliseconds to wait for the lock at most; 5,000 unless told. 0: take it now or not at all. */
  wait?: number;
  /** How often to try again at most; as often as `wait` allows unless told. */
  retries?: number;
}

const KEY = /^[\x21-\x7a|~]{1,200}$/;

/** @throws RangeError naming the option that cannot be, and its value */
export function checkLockOptions(key: string, { ttl, wait = 0, retries = 0 }: LockOptions): void {
  if (!KEY.test(key)) throw new RangeError(`key: ${key} must have 1 to 200 visible ASCII characters and no braces`);
  if (!(Number.isInteger(ttl) && ttl >= 100 && ttl <= 3_600_000)) {
    throw new RangeError(`ttl: ${ttl} must be a whole number of milliseconds from 100 to 3600000`);
  }
  if (!(wait >= 0 && wait <= 3_600_000)) throw new RangeError(`wait: ${wait} must be 0 to 3600000 milliseconds`);
  if (!(Number.isInteger(retries) && retries >= 0)) {
    throw new RangeError(`retries: ${retries} must be a whole number, 0 or greater`);
  }
}

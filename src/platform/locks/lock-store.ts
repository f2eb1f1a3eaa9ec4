/** A lock somebody has been given. */
export interface HeldLock {
  readonly key: string;
  /** Of this one acquisition: only who knows it can renew and release. */
  readonly owner: string;
  /**
   * Greater than the token of every earlier holder of the key, whether it released the lock or lost it. Microseconds of
   * the database's clock, so that tokens of all stores grow along one line and outlive what a store forgets.
   */
  readonly fencingToken: bigint;
}

/**
 * Port: leases that all processes see. Each call is one atomic step and waits for nobody. Adapters: PostgreSQL, and Redis
 * (one server or a quorum of several); both pass `lock-store.contract.ts`.
 *
 * @throws what the store throws when it cannot be asked: no answer is not a no
 */
export interface LockStore {
  /** Takes the lock for `ttlMs`, counted from when the store does it. @returns null when somebody holds it */
  acquire(key: string, ttlMs: number): Promise<HeldLock | null>;
  /** From now on it lasts `ttlMs` again. @returns false when it is not this owner's any more */
  renew(lock: HeldLock, ttlMs: number): Promise<boolean>;
  /** Lets go of it before its time. @returns false when it is not this owner's any more */
  release(lock: HeldLock): Promise<boolean>;
}

/** Injection token of the one `LockStore`. */
export const LOCK_STORE = Symbol('LOCK_STORE');

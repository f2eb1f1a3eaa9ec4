import { Inject, Injectable, Logger } from '@nestjs/common';
import { setTimeout as delay } from 'node:timers/promises';
import { Metrics } from '../metrics/index.js';
import { heldFor, Lease } from './lease.js';
import { LockNotAcquiredError } from './lock.errors.js';
import { checkLockOptions, type LockOptions } from './lock-options.js';
import { LOCK_STORE, type LockStore } from './lock-store.js';

/** What work under a lock may know about it. */
export interface LockScope {
  /** Aborts, with a `LockLostError` as its reason, the moment the lock is not certainly held any more. */
  readonly signal: AbortSignal;
  /** For `LockFence`, or `WHERE fencing_token <= $1`: greater than that of every earlier holder of the key. */
  readonly fencingToken: bigint;
}

const DEFAULT_WAIT_MS = 5000;
/** The first wait is below this, each further one may be twice as long. */
const RETRY_BASE_MS = 20;
const RETRY_CAP_MS = 250;

/**
 * Locks over all processes: in Redis when there is one, else in PostgreSQL. A lock cuts contention; it is never what
 * makes money right. Any holder may stand still for longer than its TTL and go on without noticing, so what must not
 * happen twice is kept by constraints, row locks and fencing tokens. Lock what is contended, briefly, and nothing that
 * holds a database transaction open meanwhile.
 */
@Injectable()
export class Locks {
  private readonly logger = new Logger(Locks.name);
  private readonly acquired;
  private readonly contended;
  private readonly timeouts;
  private readonly losses;

  constructor(
    @Inject(LOCK_STORE) private readonly store: LockStore,
    metrics: Metrics,
  ) {
    this.acquired = metrics.histogram('holdfast_lock_acquire_seconds', 'From asking for a lock to having it');
    this.contended = metrics.counter('holdfast_lock_contended_total', 'Locks that somebody else held when asked for');
    this.timeouts = metrics.counter('holdfast_lock_timeouts_total', 'Locks that were not had within the wait');
    this.losses = metrics.counter('holdfast_lock_losses_total', 'Locks that ended while their holder was at work');
  }

  /**
   * Runs `work` while holding the lock `key`, and lets go of it, whatever comes of it. The lock is renewed at a third of
   * its TTL. If it is lost all the same, `work` goes on and only `signal` tells: whether to stop is for it to decide, and
   * what it returns is returned.
   *
   * @param key what is locked, `wallet:user123`: 1 to 200 visible ASCII characters, no braces
   * @returns what `work` returned
   * @throws what `work` threw
   * @throws LockNotAcquiredError (503) when others held it for all of `wait`, or at each of `retries`
   * @throws LocksUnavailableError (503) at once when the locks are in Redis and that does not answer; PostgreSQL's error
   *   when they are there. No store stands in for the other: two stores would be two locks.
   * @throws RangeError for an option that cannot be
   */
  async withLock<T>(key: string, options: LockOptions, work: (lock: LockScope) => Promise<T>): Promise<T> {
    const lease = await this.acquire(key, options);
    try {
      return await work({ signal: lease.signal, fencingToken: lease.fencingToken });
    } finally {
      await lease.release().catch((error: unknown) => {
        this.logger.warn({ msg: 'A lock could not be released and ends with its TTL', key, err: error });
      });
    }
  }

  /**
   * Takes the lock, for work that does not end where it begins. Release it in a `finally`; where `withLock` does, take that.
   *
   * @throws as `withLock`
   */
  async acquire(key: string, options: LockOptions): Promise<Lease> {
    checkLockOptions(key, options);
    const { ttl, wait = DEFAULT_WAIT_MS, retries = Infinity } = options;
    const askedAt = performance.now();
    for (let attempt = 0; ; attempt++) {
      const lease = await this.attempt(key, ttl);
      if (lease) {
        this.acquired.observe((performance.now() - askedAt) / 1000);
        return lease;
      }
      if (attempt === 0) this.contended.inc();
      const left = askedAt + wait - performance.now();
      if (left <= 0 || attempt >= retries) {
        this.timeouts.inc();
        throw new LockNotAcquiredError(key);
      }
      // Full jitter: rivals that came together do not come together again.
      await delay(Math.min(left, Math.random() * Math.min(RETRY_CAP_MS, RETRY_BASE_MS * 2 ** attempt)));
    }
  }

  private async attempt(key: string, ttl: number): Promise<Lease | null> {
    const sentAt = performance.now();
    const lock = await this.store.acquire(key, ttl);
    if (!lock) return null;
    if (performance.now() < sentAt + heldFor(ttl)) {
      return new Lease(this.store, lock, ttl, sentAt, (why) => this.lost(key, why));
    }
    // It took so long that it may be over already.
    await this.store.release(lock);
    return null;
  }

  private lost(key: string, why: string): void {
    this.losses.inc();
    this.logger.warn({ msg: `A lock was lost while its holder was at work: ${why}`, key });
  }
}

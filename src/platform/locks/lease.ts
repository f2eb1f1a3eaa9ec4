import { LockLostError } from './lock.errors.js';
import type { HeldLock, LockStore } from './lock-store.js';

/** Clocks of two machines run apart by far less than 1 %; the store counts whole milliseconds. */
const DRIFT = 0.01;
const PRECISION_MS = 2;

/**
 * Milliseconds of this process's monotonic clock for which a lock is certainly held, from the moment it was asked for:
 * the store's own count began later.
 */
export function heldFor(ttlMs: number): number {
  return ttlMs * (1 - DRIFT) - PRECISION_MS;
}

/**
 * A held lock that is renewed until it is released, or lost: then `signal` aborts with a `LockLostError`. A process that ends without
 * releasing it keeps others out for its TTL.
 */
export class Lease {
  private readonly controller = new AbortController();
  private heldUntil = 0;
  private renewal: NodeJS.Timeout | undefined;
  private end: NodeJS.Timeout | undefined;
  private over = false;

  /**
   * @param sentAt `performance.now()` before the store was asked for the lock
   * @param onLoss called once, when the lock is lost before `release`
   */
  constructor(
    private readonly store: LockStore,
    private readonly lock: HeldLock,
    private readonly ttlMs: number,
    sentAt: number,
    private readonly onLoss: (why: string) => void,
  ) {
    this.confirmed(sentAt);
  }

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  get fencingToken(): bigint {
    return this.lock.fencingToken;
  }

  /**
   * Makes sure that it is held, for a whole TTL from now; it is renewed by itself as well.
   *
   * @throws LockLostError when it is not; what the store throws when that cannot be asked: then it is held until `signal` aborts
   */
  async extend(): Promise<void> {
    if (!this.over) await this.confirm();
    if (this.over) throw new LockLostError(this.lock.key);
  }

  /** @throws what the store throws; the lock then ends with its TTL */
  async release(): Promise<void> {
    if (this.over) return;
    this.stop();
    await this.store.release(this.lock);
  }

  private confirmed(sentAt: number): void {
    const now = performance.now();
    this.heldUntil = sentAt + heldFor(this.ttlMs);
    clearTimeout(this.end);
    clearTimeout(this.renewal);
    this.end = setTimeout(() => this.lose('it could not be renewed in time'), this.heldUntil - now).unref();
    this.renewIn(sentAt + this.ttlMs / 3 - now);
  }

  private renewIn(milliseconds: number): void {
    this.renewal = setTimeout(() => void this.renew(), milliseconds).unref();
  }

  private async renew(): Promise<void> {
    try {
      await this.confirm();
    } catch {
      // No answer is not a no: until the TTL ends we may ask again.
      if (!this.over) this.renewIn(this.ttlMs / 10);
    }
  }

  private async confirm(): Promise<void> {
    const sentAt = performance.now();
    // This process may have stood still; whoever waited for the lock may have it by now.
    if (sentAt >= this.heldUntil) return this.lose('it was not renewed in time');
    const renewed = await this.store.renew(this.lock, this.ttlMs);
    if (this.over) return;
    if (!renewed) return this.lose('the store has given it to somebody else, or forgotten it');
    if (performance.now() >= this.heldUntil) return this.lose('its renewal was confirmed too late');
    this.confirmed(sentAt);
  }

  private lose(why: string): void {
    if (this.over) return;
    this.stop();
    this.onLoss(why);
    this.controller.abort(new LockLostError(this.lock.key));
  }

  private stop(): void {
    this.over = true;
    clearTimeout(this.renewal);
    clearTimeout(this.end);
  }
}

import { Logger } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Metrics } from '../metrics/index.js';
import { LockNotAcquiredError } from './lock.errors.js';
import type { LockOptions } from './lock-options.js';
import type { HeldLock, LockStore } from './lock-store.js';
import { Locks } from './locks.js';

/** Held by somebody else for the first `heldFor` questions. */
class BusyStore implements LockStore {
  asked = 0;
  readonly released: HeldLock[] = [];

  constructor(private readonly heldFor: number) {}

  async acquire(key: string): Promise<HeldLock | null> {
    return ++this.asked <= this.heldFor ? null : { key, owner: 'me', fencingToken: 41n };
  }

  async renew(): Promise<boolean> {
    return true;
  }

  async release(lock: HeldLock): Promise<boolean> {
    this.released.push(lock);
    return true;
  }
}

let metrics: Metrics;
beforeEach(() => void (metrics = new Metrics()));
afterEach(() => void jest.restoreAllMocks());

const OPTIONS: LockOptions = { ttl: 5000, wait: 10_000 };
const key = 'wallet:user123';

async function metric(name: string): Promise<number> {
  return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(await metrics.render())?.[1]);
}

describe('withLock', () => {
  it('runs the work under the lock, gives back what it returned, and lets go', async () => {
    const store = new BusyStore(0);
    const result = await new Locks(store, metrics).withLock(key, OPTIONS, async ({ signal, fencingToken }) => {
      expect(store.released).toEqual([]);
      expect(signal.aborted).toBe(false);
      return fencingToken;
    });
    expect(result).toBe(41n);
    expect(store.released).toMatchObject([{ key, owner: 'me' }]);
    expect(await metric('holdfast_lock_acquire_seconds_count')).toBe(1);
    expect(await metric('holdfast_lock_contended_total')).toBe(0);
  });

  it('is `acquire` and `release` for work that ends elsewhere', async () => {
    const store = new BusyStore(0);
    const lease = await new Locks(store, metrics).acquire(key, OPTIONS);
    expect(lease.fencingToken).toBe(41n);
    await lease.extend();
    expect(store.released).toEqual([]);
    await lease.release();
    await lease.release();
    expect(store.released).toHaveLength(1);
  });

  it('lets go when the work fails, and throws what it threw', async () => {
    const store = new BusyStore(0);
    const failing = new Locks(store, metrics).withLock(key, OPTIONS, async () => {
      throw new Error('no money');
    });
    await expect(failing).rejects.toThrow('no money');
    expect(store.released).toHaveLength(1);
  });

  it('tries again while the lock is held, and counts that once', async () => {
    const store = new BusyStore(3);
    await new Locks(store, metrics).withLock(key, OPTIONS, async () => undefined);
    expect(store.asked).toBe(4);
    expect(await metric('holdfast_lock_contended_total')).toBe(1);
    expect(await metric('holdfast_lock_timeouts_total')).toBe(0);
  });

  it('gives up after its wait, without having run the work', async () => {
    const store = new BusyStore(Infinity);
    const work = jest.fn<() => Promise<void>>();
    const start = performance.now();
    await expect(new Locks(store, metrics).withLock(key, { ttl: 5000, wait: 800 }, work)).rejects.toThrow(
      LockNotAcquiredError,
    );
    const took = performance.now() - start;
    expect(took).toBeGreaterThanOrEqual(799);
    expect(took).toBeLessThan(5000);
    expect(store.asked).toBeGreaterThan(2);
    expect(work).not.toHaveBeenCalled();
    expect(await metric('holdfast_lock_timeouts_total')).toBe(1);
    expect(await metric('holdfast_lock_acquire_seconds_count')).toBe(0);
  });

  it('gives up after its retries, and asks once when it may not wait', async () => {
    const store = new BusyStore(Infinity);
    const locks = new Locks(store, metrics);
    await expect(locks.withLock(key, { ...OPTIONS, retries: 2 }, jest.fn<() => Promise<void>>())).rejects.toThrow(
      LockNotAcquiredError,
    );
    expect(store.asked).toBe(3);
    await expect(locks.withLock(key, { ttl: 5000, wait: 0 }, jest.fn<() => Promise<void>>())).rejects.toThrow(
      LockNotAcquiredError,
    );
    expect(store.asked).toBe(4);
  });

  it('is answered 503, which nobody keeps as the answer to an idempotency key', () => {
    expect(new LockNotAcquiredError(key)).toMatchObject({ status: 503, code: 'LOCK_NOT_ACQUIRED', retryAfter: 1 });
    expect(new LockNotAcquiredError(key).message).not.toContain('user123');
  });

  it('does not wait for a store that cannot be asked', async () => {
    const store = new BusyStore(0);
    jest.spyOn(store, 'acquire').mockRejectedValue(new Error('away'));
    await expect(new Locks(store, metrics).withLock(key, OPTIONS, jest.fn<() => Promise<void>>())).rejects.toThrow(
      'away',
    );
    expect(store.acquire).toHaveBeenCalledTimes(1);
  });

  it('gives back what the work returned though the lock cannot be released, and says so in the log', async () => {
    const warn = jest.spyOn(Logger.prototype, 'warn').mockReturnValue();
    const store = new BusyStore(0);
    jest.spyOn(store, 'release').mockRejectedValue(new Error('away'));
    expect(await new Locks(store, metrics).withLock(key, OPTIONS, async () => 'done')).toBe('done');
    expect(warn).toHaveBeenCalledTimes(1);
  });

  it('gives back a lock that took so long to get that it may be over', async () => {
    const store = new BusyStore(0);
    let late = true;
    jest.spyOn(store, 'acquire').mockImplementation(async (name) => {
      if (late) await new Promise((resolve) => setTimeout(resolve, 120));
      const owner = late ? 'late' : 'in time';
      late = false;
      return { key: name, owner, fencingToken: 1n };
    });
    await new Locks(store, metrics).withLock(key, { ttl: 100, wait: 5000 }, async () => {
      expect(store.released).toMatchObject([{ owner: 'late' }]);
    });
    expect(store.released).toMatchObject([{ owner: 'late' }, { owner: 'in time' }]);
  });

  it.each<[string, LockOptions, RegExp]>([
    ['', OPTIONS, /^key/],
    ['a b', OPTIONS, /^key/],
    ['a{b}', OPTIONS, /^key/],
    ['a'.repeat(201), OPTIONS, /^key/],
    [key, { ttl: 99 }, /^ttl: 99 /],
    [key, { ttl: 1000.5 }, /^ttl: 1000.5 /],
    [key, { ttl: Infinity }, /^ttl/],
    [key, { ttl: 5000, wait: -1 }, /^wait: -1 /],
    [key, { ttl: 5000, wait: Number.NaN }, /^wait/],
    [key, { ttl: 5000, retries: -1 }, /^retries: -1 /],
    [key, { ttl: 5000, retries: 0.5 }, /^retries/],
  ])('refuses %j with %o, naming what is wrong', async (name, options, message) => {
    const store = new BusyStore(0);
    const refused = new Locks(store, metrics).withLock(name, options, jest.fn<() => Promise<void>>());
    await expect(refused).rejects.toThrow(RangeError);
    await expect(refused).rejects.toThrow(message);
    expect(store.asked).toBe(0);
  });
});

import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import type { HeldLock, LockStore } from './lock-store.js';

const LONG_MS = 60_000;
const SHORT_MS = 150;
/** Short, and yet long enough for a question and its answer on a busy machine. */
const BRIEF_MS = 1000;

/**
 * Every adapter of the port keeps these promises.
 *
 * @param create two stores that share their locks, as two processes do
 */
export function describeLockStore(name: string, create: () => readonly [here: LockStore, there: LockStore]): void {
  const newKey = () => `test:${Math.random()}`;

  async function take(store: LockStore, key: string, ttlMs = LONG_MS): Promise<HeldLock> {
    const lock = await store.acquire(key, ttlMs);
    if (!lock) throw new Error('The lock is held');
    return lock;
  }

  /** Asks until the lock is free, at most for a few seconds. */
  async function takeWhenFree(store: LockStore, key: string): Promise<HeldLock> {
    for (let attempt = 0; attempt < 1000; attempt++) {
      const lock = await store.acquire(key, LONG_MS);
      if (lock) return lock;
      await delay(5);
    }
    throw new Error('The lock did not become free');
  }

  describe(`${name} as a lock store`, () => {
    it('gives a lock to one and to nobody else until it is released', async () => {
      const [here, there] = create();
      const key = newKey();
      const lock = await take(here, key);
      expect(await there.acquire(key, LONG_MS)).toBeNull();
      expect(await here.acquire(key, LONG_MS)).toBeNull();
      expect(await here.release(lock)).toBe(true);
      expect(await there.acquire(key, LONG_MS)).toMatchObject({ key });
    });

    it('locks each key for itself', async () => {
      const [here, there] = create();
      await take(here, newKey());
      expect(await there.acquire(newKey(), LONG_MS)).not.toBeNull();
    });

    it('gives the lock to exactly one of fifty who ask at the same time', async () => {
      const stores = create();
      for (let round = 0; round < 5; round++) {
        const key = newKey();
        const asked = Array.from({ length: 50 }, (_, index) => stores[index % 2]!.acquire(key, LONG_MS));
        const given = (await Promise.all(asked)).filter((lock) => lock !== null);
        // Of several servers each may have gone to another contender: then nobody has it, and they try again.
        expect(given.length).toBeLessThanOrEqual(1);
        if (given.length === 0) await take(stores[0], key);
        expect(await stores[1].acquire(key, LONG_MS)).toBeNull();
      }
    });

    it('frees a lock when its time is over, not before', async () => {
      const [here, there] = create();
      const key = newKey();
      const askedAt = performance.now();
      const lock = await take(here, key, SHORT_MS);
      await takeWhenFree(there, key);
      expect(performance.now() - askedAt).toBeGreaterThan(SHORT_MS * 0.9);
      expect(await here.renew(lock, LONG_MS)).toBe(false);
      expect(await here.release(lock)).toBe(false);
    });

    it('keeps a renewed lock beyond its first end', async () => {
      const [here, there] = create();
      const [key, unrenewed] = [newKey(), newKey()];
      const lock = await take(here, key, BRIEF_MS);
      await take(here, unrenewed, BRIEF_MS);
      expect(await here.renew(lock, LONG_MS)).toBe(true);
      await takeWhenFree(there, unrenewed);
      expect(await there.acquire(key, LONG_MS)).toBeNull();
      expect(await here.release(lock)).toBe(true);
    });

    it('can shorten a lock by renewing it', async () => {
      const [here, there] = create();
      const key = newKey();
      const lock = await take(here, key);
      expect(await here.renew(lock, SHORT_MS)).toBe(true);
      await takeWhenFree(there, key);
    });

    it('lets nobody but the owner renew or release', async () => {
      const [here, there] = create();
      const key = newKey();
      const lock = await take(here, key);
      const stranger = { ...lock, owner: '00000000-0000-4000-8000-000000000000' };
      expect(await there.renew(stranger, SHORT_MS)).toBe(false);
      expect(await there.release(stranger)).toBe(false);
      expect(await there.acquire(key, LONG_MS)).toBeNull();
      expect(await there.release(lock)).toBe(true);
    });

    it('renews and releases nothing that was released', async () => {
      const [here, there] = create();
      const key = newKey();
      const lock = await take(here, key);
      await here.release(lock);
      expect(await here.renew(lock, LONG_MS)).toBe(false);
      expect(await here.release(lock)).toBe(false);
      const next = await take(there, key);
      expect(await here.release(lock)).toBe(false);
      expect(await there.renew(next, LONG_MS)).toBe(true);
    });

    it('gives each holder of a key a greater fencing token, over release, expiry and whoever asks', async () => {
      const stores = create();
      const key = newKey();
      let last = 0n;
      for (let holder = 0; holder < 12; holder++) {
        const store = stores[holder % 2]!;
        const lock = await takeWhenFree(store, key);
        expect(lock.fencingToken).toBeGreaterThan(last);
        last = lock.fencingToken;
        if (holder % 3 > 0) await store.release(lock);
        else await store.renew(lock, 20);
      }
    });
  });
}

import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { heldFor, Lease } from './lease.js';
import { LockLostError } from './lock.errors.js';
import type { HeldLock, LockStore } from './lock-store.js';

const TTL_MS = 3000;
const LOCK: HeldLock = { key: 'wallet:ann', owner: 'me', fencingToken: 7n };

/** Notes when it is asked, and answers as it is told. */
class ScriptedStore implements LockStore {
  readonly renewedAt: number[] = [];
  released = 0;
  answer: () => Promise<boolean> = async () => true;

  async acquire(): Promise<HeldLock> {
    return LOCK;
  }

  renew(): Promise<boolean> {
    this.renewedAt.push(performance.now());
    return this.answer();
  }

  async release(): Promise<boolean> {
    this.released += 1;
    return true;
  }
}

let store: ScriptedStore;
let losses: string[];

beforeEach(() => {
  jest.useFakeTimers({ doNotFake: ['Date', 'hrtime', 'nextTick', 'queueMicrotask', 'setImmediate', 'setInterval'] });
  store = new ScriptedStore();
  losses = [];
});
afterEach(() => void jest.useRealTimers());

const lease = () => new Lease(store, LOCK, TTL_MS, performance.now(), (why) => losses.push(why));
const pass = (milliseconds: number) => jest.advanceTimersByTimeAsync(milliseconds);
const failing = () => Promise.reject(new Error('no answer'));

describe('a lease', () => {
  it('is renewed every third of its time for as long as it is kept', async () => {
    const held = lease();
    await pass(10 * TTL_MS);
    expect(store.renewedAt.slice(0, 3)).toEqual([1000, 2000, 3000]);
    expect(store.renewedAt.length).toBeGreaterThanOrEqual(29);
    expect(held.signal.aborted).toBe(false);
    await held.release();
  });

  it('counts the third from when a renewal was sent, not from when it was answered', async () => {
    store.answer = () => new Promise((resolve) => setTimeout(() => resolve(true), 600));
    const held = lease();
    await pass(3500);
    expect(store.renewedAt).toEqual([1000, 2000, 3000]);
    await held.release();
  });

  it('is lost the moment the store says so', async () => {
    store.answer = async () => false;
    const held = lease();
    await pass(999);
    expect(held.signal.aborted).toBe(false);
    await pass(1);
    expect(held.signal.aborted).toBe(true);
    expect(held.signal.reason).toBeInstanceOf(LockLostError);
    expect(losses).toHaveLength(1);
  });

  it('survives renewals that fail as long as one succeeds in time', async () => {
    let failures = 4;
    store.answer = () => (failures-- > 0 ? failing() : Promise.resolve(true));
    const held = lease();
    await pass(5 * TTL_MS);
    expect(held.signal.aborted).toBe(false);
    await held.release();
  });

  it('is lost before its time is over in the store when no renewal is confirmed', async () => {
    store.answer = failing;
    const held = lease();
    await pass(heldFor(TTL_MS) - 1);
    expect(held.signal.aborted).toBe(false);
    await pass(1);
    expect(held.signal.aborted).toBe(true);
    expect(performance.now()).toBeLessThan(TTL_MS);
    expect(store.renewedAt.length).toBeGreaterThan(3);
  });

  it('is lost when a renewal hangs, and stays lost whatever is answered later', async () => {
    let answer: (renewed: boolean) => void = () => undefined;
    store.answer = () => new Promise((resolve) => (answer = resolve));
    const held = lease();
    await pass(TTL_MS);
    expect(held.signal.aborted).toBe(true);
    answer(true);
    await pass(10 * TTL_MS);
    expect(store.renewedAt).toEqual([1000]);
    expect(losses).toHaveLength(1);
  });

  it('is lost, not renewed, by a process that stood still past its end', async () => {
    const held = lease();
    // What a process finds that was stopped: the clock has gone on, and its timers are all due at once, in their order.
    jest.spyOn(performance, 'now').mockReturnValue(TTL_MS + 1);
    await pass(1000);
    expect(held.signal.aborted).toBe(true);
    expect(store.renewedAt).toEqual([]);
  });

  it('is extended when asked, and by itself a third of its time after that', async () => {
    const held = lease();
    await pass(500);
    await held.extend();
    await pass(1100);
    expect(store.renewedAt).toEqual([500, 1500]);
    await held.release();
    await expect(held.extend()).rejects.toBeInstanceOf(LockLostError);
  });

  it('cannot be extended once it is another’s', async () => {
    store.answer = async () => false;
    const held = lease();
    await expect(held.extend()).rejects.toBeInstanceOf(LockLostError);
    expect(held.signal.aborted).toBe(true);
    expect(losses).toHaveLength(1);
  });

  it('is kept when a store that cannot be asked does not extend it, and renewed later', async () => {
    store.answer = failing;
    const held = lease();
    await expect(held.extend()).rejects.toThrow('no answer');
    expect(held.signal.aborted).toBe(false);
    store.answer = async () => true;
    await pass(1000);
    expect(store.renewedAt).toEqual([0, 1000]);
    await held.release();
  });

  it('is left to itself once it is released', async () => {
    const held = lease();
    await pass(1500);
    await held.release();
    await pass(10 * TTL_MS);
    expect(store.renewedAt).toEqual([1000]);
    expect(held.signal.aborted).toBe(false);
    expect(store.released).toBe(1);
  });

  it('is not lost by a refusal that arrives after its release', async () => {
    let answer: (renewed: boolean) => void = () => undefined;
    store.answer = () => new Promise((resolve) => (answer = resolve));
    const held = lease();
    await pass(1000);
    await held.release();
    answer(false);
    await pass(10 * TTL_MS);
    expect(held.signal.aborted).toBe(false);
    expect(losses).toEqual([]);
  });

  it('is not released when it was lost: it is somebody else’s by now', async () => {
    store.answer = async () => false;
    const held = lease();
    await pass(1000);
    await held.release();
    expect(store.released).toBe(0);
  });
});

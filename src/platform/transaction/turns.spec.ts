import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { type Lane, Turns } from './turns.js';

describe('turns', () => {
  let turns: Turns;
  let order: string[];

  beforeEach(() => {
    jest.useFakeTimers();
    turns = new Turns();
    order = [];
  });

  afterEach(() => {
    jest.useRealTimers();
  });

  /** Has its turn, notes it, and keeps it until the returned function is called. */
  function comes(name: string, lane: Lane, lock = 'ledger'): () => Promise<void> {
    const taken = turns.take(lock, lane).then((leave) => {
      order.push(name);
      return leave;
    });
    return async () => (await taken)();
  }

  async function settle(): Promise<void> {
    await jest.advanceTimersByTimeAsync(0);
  }

  it('come one after the other, in the order they were asked for', async () => {
    const leave = [comes('a', 'single'), comes('b', 'single'), comes('c', 'single')];
    await settle();
    expect(order).toEqual(['a']);
    await leave[0]?.();
    await settle();
    expect(order).toEqual(['a', 'b']);
    await leave[1]?.();
    await settle();
    expect(order).toEqual(['a', 'b', 'c']);
  });

  it('alternate between the lanes, so that a group waits for one single transaction at most', async () => {
    const leave = [
      comes('s1', 'single'),
      comes('s2', 'single'),
      comes('s3', 'single'),
      comes('g1', 'group'),
      comes('g2', 'group'),
    ];
    const inTurn = [0, 3, 1, 4, 2];
    for (const index of inTurn) await leave[index]?.();
    expect(order).toEqual(['s1', 'g1', 's2', 'g2', 's3']);
  });

  it('are free again when nobody waits', async () => {
    await comes('a', 'single')();
    await comes('b', 'group')();
    expect(order).toEqual(['a', 'b']);
  });

  it('are of each lock by itself', async () => {
    comes('a', 'single');
    comes('other', 'single', 'another');
    await settle();
    expect(order).toEqual(['a', 'other']);
  });

  it('are taken after a second from whoever keeps theirs, and passed on from there', async () => {
    const hangs = comes('hangs', 'single');
    const impatient = comes('impatient', 'single');
    await jest.advanceTimersByTimeAsync(999);
    const next = comes('next', 'single');
    expect(order).toEqual(['hangs']);
    await jest.advanceTimersByTimeAsync(1);
    expect(order).toEqual(['hangs', 'impatient']);
    // Its own end gives nobody a turn that it has no more.
    await hangs();
    await settle();
    expect(order).toEqual(['hangs', 'impatient']);
    await impatient();
    await settle();
    expect(order).toEqual(['hangs', 'impatient', 'next']);
    await next();
    expect(jest.getTimerCount()).toBe(0);
  });
});

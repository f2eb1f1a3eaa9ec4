import { describe, expect, it } from '@jest/globals';
import { atMostEvery } from './at-most-every.js';

const LONG = 1_000_000;

/** Makes 1, 2, 3, … whenever it is let. */
function counter(ms: number) {
  let made = 0;
  const waiting: (() => void)[] = [];
  const get = atMostEvery(ms, async () => {
    made += 1;
    await new Promise<void>((resolve) => waiting.push(resolve));
    return made;
  });
  return { get, letThrough: () => waiting.splice(0).forEach((resolve) => resolve()) };
}

describe('atMostEvery', () => {
  it('makes one for all who ask at once, and keeps it for its time', async () => {
    const { get, letThrough } = counter(LONG);
    const answers = [get(), get()];
    letThrough();
    expect(await Promise.all([...answers, get()])).toEqual([1, 1, 1]);
  });

  it('makes another one after that; with 0 for everyone who asks when none is being made', async () => {
    const { get, letThrough } = counter(0);
    const answers = [get(), get()];
    letThrough();
    expect(await Promise.all(answers)).toEqual([1, 1]);
    const next = get();
    letThrough();
    expect(await next).toBe(2);
  });

  it('makes one at a time, however long that takes', async () => {
    const { get, letThrough } = counter(1);
    const first = get();
    const from = performance.now();
    while (performance.now() - from < 5);
    const second = get();
    letThrough();
    expect(await Promise.all([first, second])).toEqual([1, 1]);
  });

  it('does not keep what failed', async () => {
    let failing = true;
    const get = atMostEvery(LONG, async () => {
      if (failing) throw new Error('away');
      return 'here';
    });
    await expect(get()).rejects.toThrow('away');
    failing = false;
    expect(await get()).toBe('here');
  });
});

import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { UnavailableError } from './app-error.js';
import { SharedLookups } from './shared-lookups.js';

interface Query {
  at: number;
  names: readonly string[];
  answer(found: Record<string, string>): void;
  fail(error: Error): void;
}

let queries: Query[];
let lookups: SharedLookups<string>;

beforeEach(() => {
  jest.useFakeTimers({
    doNotFake: [
      'Date',
      'hrtime',
      'nextTick',
      'queueMicrotask',
      'setImmediate',
      'clearImmediate',
      'setInterval',
      'clearInterval',
    ],
  });
  queries = [];
  lookups = new SharedLookups(
    (names) =>
      new Promise((resolve, reject) => {
        const answer = (found: Record<string, string>) => resolve(new Map(Object.entries(found)));
        queries.push({ at: performance.now(), names, answer, fail: reject });
      }),
  );
});
afterEach(() => void jest.useRealTimers());

const pass = (ms: number) => jest.advanceTimersByTimeAsync(ms);

describe('SharedLookups', () => {
  it('asks at once when nobody has asked lately', async () => {
    const found = lookups.get('a');
    await pass(0);
    expect(queries).toHaveLength(1);
    queries[0]?.answer({ a: 'A' });
    expect(await found).toBe('A');
  });

  it('asks one question for all who come in a moment, and tells each what is theirs', async () => {
    const all = Promise.all(['a', 'b', 'a', 'c'].map((name) => lookups.get(name)));
    await pass(0);
    expect(queries.map(({ names }) => names)).toEqual([['a', 'b', 'c']]);
    queries[0]?.answer({ a: 'A', c: 'C', d: 'D' });
    expect(await all).toEqual(['A', null, 'A', 'C']);
  });

  it('begins no two questions within 50 ms, however many ask, and leaves nobody waiting for longer', async () => {
    const waits: number[] = [];
    for (let ms = 0; ms < 1000; ms++) {
      const asked = performance.now();
      void lookups.get(String(ms)).then(() => waits.push(performance.now() - asked));
      await pass(1);
      queries.at(-1)?.answer({});
    }
    await pass(50);
    queries.at(-1)?.answer({});
    await pass(0);
    expect(waits).toHaveLength(1000);
    expect(Math.max(...waits)).toBeLessThanOrEqual(51);
    expect(queries.length).toBeLessThanOrEqual(21);
    for (const [index, { at }] of queries.entries()) {
      expect(at - (queries[index - 1]?.at ?? -50)).toBeGreaterThanOrEqual(50);
    }
  });

  it('has one question out at a time, however slow the answer is', async () => {
    void lookups.get('a');
    await pass(0);
    void lookups.get('b');
    await pass(10_000);
    expect(queries).toHaveLength(1);
    queries[0]?.answer({});
    await pass(0);
    expect(queries[1]?.names).toEqual(['b']);
  });

  it('asks again for one that was asked about before the question went out, not after', async () => {
    const before = lookups.get('a');
    await pass(0);
    const after = lookups.get('a');
    queries[0]?.answer({});
    expect(await before).toBeNull();
    await pass(50);
    queries[1]?.answer({ a: 'A' });
    expect(await after).toBe('A');
  });

  it('passes a failure on to those who wait for it, and goes on', async () => {
    const [failed, next] = [lookups.get('a'), pass(0).then(() => lookups.get('a'))];
    const failure = expect(failed).rejects.toThrow('away');
    await pass(0);
    queries[0]?.fail(new Error('away'));
    await failure;
    await pass(50);
    queries[1]?.answer({ a: 'A' });
    expect(await next).toBe('A');
  });

  it('refuses, with an answer that is no no, when ten thousand are waiting', async () => {
    void lookups.get('first');
    await pass(0);
    const waiting = Array.from({ length: 10_000 }, (_, n) => lookups.get(String(n)));
    await expect(lookups.get('one more')).rejects.toThrow(UnavailableError);
    queries[0]?.answer({});
    await pass(50);
    queries[1]?.answer({ 9999: 'last' });
    expect((await Promise.all(waiting)).at(-1)).toBe('last');
  });
});

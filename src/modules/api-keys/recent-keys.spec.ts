import { describe, expect, it } from '@jest/globals';
import { type Reading, RecentKeys } from './recent-keys.js';

/** A database whose answers the test gives by hand, and a clock it moves. */
function setUp() {
  let time = 0;
  const asked: {
    hash: string;
    about: 'known' | 'unknown';
    answer: (reading: Reading<string> | null) => void;
    fail: (error: Error) => void;
  }[] = [];
  const reader = (about: 'known' | 'unknown') => (hash: string) =>
    new Promise<Reading<string> | null>((answer, fail) => asked.push({ hash, about, answer, fail }));
  const keys = new RecentKeys<string>(reader('known'), reader('unknown'), () => time);
  return {
    keys,
    asked,
    pass: (ms: number) => (time += ms),
    /** Asks, and answers what was asked. */
    async ask(reading: Reading<string> | null) {
      const result = keys.get('h');
      asked.at(-1)?.answer(reading);
      return result;
    },
  };
}

const good: Reading<string> = { key: 'key', holdsForMs: Infinity };

describe('RecentKeys', () => {
  it('asks once for a key that is used again within half a second', async () => {
    const { keys, asked, pass, ask } = setUp();
    expect(await ask(good)).toBe('key');
    pass(499);
    expect(await keys.get('h')).toBe('key');
    expect(asked).toHaveLength(1);
  });

  it('asks apart about keys that were good when they were read last, however long ago', async () => {
    const { asked, pass, ask } = setUp();
    await ask(null);
    await ask(good);
    pass(600_000);
    await ask(good);
    pass(1000);
    await ask(null);
    await ask(null);
    expect(asked.map(({ about }) => about)).toEqual(['unknown', 'unknown', 'known', 'known', 'unknown']);
  });

  it('reads a busy key again while requests go on with what is remembered', async () => {
    const { keys, asked, pass, ask } = setUp();
    await ask(good);
    pass(500);
    expect(await keys.get('h')).toBe('key');
    expect(await keys.get('h')).toBe('key');
    expect(asked).toHaveLength(2);
    asked[1]!.answer(good);
    await Promise.resolve();
    pass(999);
    expect(await keys.get('h')).toBe('key');
  });

  it('never uses what it read more than a second ago, however slow the database is', async () => {
    const { keys, asked, pass, ask } = setUp();
    await ask(good);
    pass(999);
    expect(await keys.get('h')).toBe('key');
    pass(1);
    const waiting = keys.get('h');
    asked.at(-1)!.answer(null);
    expect(await waiting).toBeNull();
  });

  it('counts age from before the database was asked', async () => {
    const { keys, asked, pass } = setUp();
    const first = keys.get('h');
    pass(900);
    asked[0]!.answer(good);
    expect(await first).toBe('key');
    pass(100);
    void keys.get('h');
    expect(asked).toHaveLength(2);
  });

  it('refuses from the moment a renewal finds the key revoked', async () => {
    const { keys, asked, pass, ask } = setUp();
    await ask(good);
    pass(500);
    await keys.get('h');
    asked[1]!.answer(null);
    await Promise.resolve();
    const next = keys.get('h');
    expect(asked).toHaveLength(3);
    asked[2]!.answer(null);
    expect(await next).toBeNull();
  });

  it('forgets at the moment the key expires', async () => {
    const { keys, asked, pass, ask } = setUp();
    await ask({ key: 'key', holdsForMs: 50 });
    pass(49);
    expect(await keys.get('h')).toBe('key');
    pass(1);
    void keys.get('h');
    expect(asked).toHaveLength(2);
  });

  it('shares one look-up among requests that come together', async () => {
    const { keys, asked } = setUp();
    const together = Promise.all([keys.get('h'), keys.get('h'), keys.get('h')]);
    expect(asked).toHaveLength(1);
    asked[0]!.answer(good);
    expect(await together).toEqual(['key', 'key', 'key']);
  });

  it('does not join a look-up that hangs, and lets it not overwrite the younger one', async () => {
    const { keys, asked, pass } = setUp();
    const hanging = keys.get('h');
    pass(500);
    const younger = keys.get('h');
    expect(asked).toHaveLength(2);
    asked[1]!.answer(null);
    expect(await younger).toBeNull();
    asked[0]!.answer(good);
    await hanging;
    void keys.get('h');
    expect(asked).toHaveLength(3);
  });

  it('does not remember refusals', async () => {
    const { asked, ask } = setUp();
    expect(await ask(null)).toBeNull();
    expect(await ask(good)).toBe('key');
    expect(asked).toHaveLength(2);
  });

  it('asks again after forget, even when a look-up from before comes back late', async () => {
    const { keys, asked, pass, ask } = setUp();
    await ask(good);
    pass(500);
    await keys.get('h');
    keys.forget('h');
    asked[1]!.answer(good);
    await Promise.resolve();
    const next = keys.get('h');
    expect(asked).toHaveLength(3);
    asked[2]!.answer(null);
    expect(await next).toBeNull();
  });

  it('passes a failure on to the requests that need an answer, and only to them', async () => {
    const { keys, asked, pass, ask } = setUp();
    await ask(good);
    pass(500);
    expect(await keys.get('h')).toBe('key');
    asked[1]!.fail(new Error('away'));
    pass(500);
    const waiting = keys.get('h');
    asked[2]!.fail(new Error('still away'));
    await expect(waiting).rejects.toThrow('still away');
    expect(await ask(good)).toBe('key');
  });

  it('keeps at most ten thousand keys and drops the one read longest ago', async () => {
    let reads = 0;
    const read = async (hash: string) => {
      reads++;
      return { key: hash, holdsForMs: Infinity };
    };
    const keys = new RecentKeys<string>(read, read, () => 0);
    for (let n = 0; n <= 10_000; n++) await keys.get(String(n));
    await keys.get('1');
    expect(reads).toBe(10_001);
    await keys.get('0');
    expect(reads).toBe(10_002);
  });
});

import fc from 'fast-check';
import { describe, expect, it } from '@jest/globals';
import { Coalescer, CoalescerFullError, type CoalescerOptions, type Outcome } from './coalescer.js';

type Batch = { items: readonly number[]; commit(): void; fail(error: Error): void };

/** A coalescer whose batches commit when the test says so. */
function steered(options: Partial<CoalescerOptions<number, string>> = {}) {
  const batches: Batch[] = [];
  const coalescer = new Coalescer<number, string>({
    name: 'test',
    maxItems: 100,
    maxQueued: 1000,
    ...options,
    flush: (items) =>
      new Promise<Outcome<string>[]>((resolve, reject) => {
        batches.push({ items, commit: () => resolve(items.map((item) => ({ result: `#${item}` }))), fail: reject });
      }),
  });
  return { coalescer, batches };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('Coalescer', () => {
  it('flushes together what arrives in the same moment, and answers each caller its own result', async () => {
    const { coalescer, batches } = steered();
    const results = [1, 2, 3].map((item) => coalescer.submit(item));
    await turn();
    expect(batches.map(({ items }) => items)).toEqual([[1, 2, 3]]);
    batches[0]!.commit();
    expect(await Promise.all(results)).toEqual(['#1', '#2', '#3']);
  });

  it('gathers while a batch commits and flushes the rest as one when it is done', async () => {
    const { coalescer, batches } = steered();
    void coalescer.submit(1);
    await turn();
    void coalescer.submit(2);
    await turn();
    const last = coalescer.submit(3);
    expect(batches).toHaveLength(1);
    batches[0]!.commit();
    await turn();
    await turn();
    expect(batches[1]!.items).toEqual([2, 3]);
    batches[1]!.commit();
    expect(await last).toBe('#3');
  });

  it('keeps as many batches under way as it is told to, each within maxItems', async () => {
    const { coalescer, batches } = steered({ maxItems: 2, concurrency: 2 });
    for (let item = 0; item < 7; item++) void coalescer.submit(item);
    await turn();
    await turn();
    await turn();
    expect(batches.map(({ items }) => items)).toEqual([
      [0, 1],
      [2, 3],
    ]);
  });

  it('sends what is worth a batch without waiting for the turn to end, within its concurrency', async () => {
    const { coalescer, batches } = steered({ eagerItems: 3, concurrency: 2 });
    for (let item = 0; item < 8; item++) void coalescer.submit(item);
    expect(batches.map(({ items }) => items)).toEqual([
      [0, 1, 2],
      [3, 4, 5],
    ]);
    batches[0]!.commit();
    await turn();
    await turn();
    expect(batches[2]!.items).toEqual([6, 7]);
  });

  it('counts items, not weight, for that, and leaves what does not fit for the next batch', async () => {
    const { coalescer, batches } = steered({ eagerItems: 3, weigh: () => 4, maxBatchWeight: 8 });
    for (const item of [1, 2, 3]) void coalescer.submit(item);
    expect(batches.map(({ items }) => items)).toEqual([[1, 2]]);
    batches[0]!.commit();
    await turn();
    await turn();
    expect(batches[1]!.items).toEqual([3]);
  });

  it("keeps one caller's failure from its neighbours", async () => {
    const coalescer = new Coalescer<number, number>({
      name: 'test',
      maxItems: 10,
      maxQueued: 10,
      flush: async (items) => items.map((item) => (item === 2 ? { error: new Error('two') } : { result: item })),
    });
    const settled = await Promise.allSettled([1, 2, 3].map((item) => coalescer.submit(item)));
    expect(settled.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  });

  it('halves a batch that fails as a whole until only the poisonous items fail', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.boolean(), { minLength: 1, maxLength: 40 }), async (poison) => {
        const committed: number[] = [];
        const coalescer = new Coalescer<number, number>({
          name: 'test',
          maxItems: 100,
          maxQueued: 100,
          splitOn: () => true,
          flush: async (items) => {
            if (items.some((item) => poison[item])) throw new Error('22P02');
            committed.push(...items);
            return items.map((item) => ({ result: item }));
          },
        });
        const settled = await Promise.allSettled(poison.map((_, item) => coalescer.submit(item)));
        expect(settled.map(({ status }) => status === 'rejected')).toEqual(poison);
        expect(committed).toEqual(poison.flatMap((bad, item) => (bad ? [] : [item])));
      }),
    );
  });

  it('fails the whole batch, and only that, when the error is nobody’s own', async () => {
    const { coalescer, batches } = steered();
    const failed = [coalescer.submit(1), coalescer.submit(2)];
    await turn();
    batches[0]!.fail(new Error('database gone'));
    expect((await Promise.allSettled(failed)).every(({ status }) => status === 'rejected')).toBe(true);
    const next = coalescer.submit(3);
    await turn();
    batches[1]!.commit();
    expect(await next).toBe('#3');
  });

  it('refuses with 503 beyond its bound instead of queueing without end', async () => {
    const { coalescer } = steered({ maxQueued: 2 });
    void coalescer.submit(1);
    void coalescer.submit(2);
    await expect(coalescer.submit(3)).rejects.toBeInstanceOf(CoalescerFullError);
  });

  it('ends a batch before it grows too heavy, but lets a single heavy item through', async () => {
    const { coalescer, batches } = steered({ weigh: (item) => item, maxBatchWeight: 10 });
    for (const item of [4, 5, 6, 25, 1]) void coalescer.submit(item);
    for (let batch = 0; batch < 4; batch++) {
      await turn();
      batches[batch]!.commit();
      await turn();
    }
    expect(batches.map(({ items }) => items)).toEqual([[4, 5], [6], [25], [1]]);
  });

  it('refuses what would make its queue too heavy, and takes it again once a batch has left', async () => {
    const { coalescer, batches } = steered({ weigh: (item) => item, maxQueuedWeight: 10 });
    void coalescer.submit(8);
    await expect(coalescer.submit(3)).rejects.toBeInstanceOf(CoalescerFullError);
    await turn();
    batches[0]!.commit();
    void coalescer.submit(3);
    await turn();
    await turn();
    expect(batches[1]!.items).toEqual([3]);
  });

  it('drains on close: what is waiting commits, what comes later is refused', async () => {
    const { coalescer, batches } = steered({ maxItems: 1 });
    const accepted = [coalescer.submit(1), coalescer.submit(2)];
    await turn();
    const closed = coalescer.close();
    await expect(coalescer.submit(3)).rejects.toMatchObject({ status: 503 });
    batches[0]!.commit();
    await turn();
    await turn();
    batches[1]!.commit();
    expect(await Promise.all(accepted)).toEqual(['#1', '#2']);
    await closed;
  });
});

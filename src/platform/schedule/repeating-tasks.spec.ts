import { SchedulerRegistry } from '@nestjs/schedule';
import { afterEach, describe, expect, it } from '@jest/globals';
import { type Removal, RepeatingTasks } from './repeating-tasks.js';

const NEVER_MS = 1e9;

const scheduler = new SchedulerRegistry();
const tasks = new RepeatingTasks({ role: 'all' }, scheduler);

afterEach(() => {
  for (const name of scheduler.getIntervals()) scheduler.deleteInterval(name);
});

/** Removes so many in all. */
function heapOf(count: number): { removal: Removal; limits: number[] } {
  const limits: number[] = [];
  let left = count;
  const removal = async (limit: number) => {
    limits.push(limit);
    const removed = Math.min(limit, left);
    left -= removed;
    return removed;
  };
  return { removal, limits };
}

describe('a sweep', () => {
  it('removes batch by batch until one is not full, one removal after the other', async () => {
    const [first, second] = [heapOf(7), heapOf(6)];
    await tasks.sweep(NEVER_MS, 'test', 3, first.removal, second.removal).run();
    expect(first.limits).toEqual([3, 3, 3]);
    expect(second.limits).toEqual([3, 3, 3]);
  });

  it('ends with the batch under way when it is stopped', async () => {
    let stopped: Promise<void> | undefined;
    const { removal, limits } = heapOf(1000);
    const stopIt: Removal = (limit) => {
      if (limits.length === 2) stopped = task.stop();
      return removal(limit);
    };
    const other = heapOf(1000);
    const task = tasks.sweep(NEVER_MS, 'test', 3, stopIt, other.removal);
    await task.run();
    await stopped;
    expect(limits).toHaveLength(3);
    expect(other.limits).toEqual([]);
  });

  it('is left to processes that do background work', () => {
    new RepeatingTasks({ role: 'api' }, scheduler).sweep(NEVER_MS, 'test', 3, heapOf(0).removal);
    expect(scheduler.getIntervals()).toEqual([]);
    new RepeatingTasks({ role: 'worker' }, scheduler).sweep(NEVER_MS, 'test', 3, heapOf(0).removal);
    expect(scheduler.getIntervals()).toEqual(['test']);
  });
});

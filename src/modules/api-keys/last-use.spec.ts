import { Logger } from '@nestjs/common';
import { SchedulerRegistry } from '@nestjs/schedule';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { RepeatingTasks } from '../../platform/schedule/index.js';
import type { ApiKeyUse } from './api-key.repository.js';
import { LastUse } from './last-use.js';

const recordUse = jest.fn<(uses: readonly ApiKeyUse[]) => Promise<void>>();
let lastUse: LastUse;
let tasks: RepeatingTasks;

beforeEach(() => {
  jest.useFakeTimers();
  Logger.overrideLogger(false);
  recordUse.mockReset().mockResolvedValue();
  lastUse = new LastUse({ recordUse });
  tasks = new RepeatingTasks({ role: 'all' }, new SchedulerRegistry());
  tasks.begin(lastUse);
});

afterEach(async () => {
  await lastUse.beforeApplicationShutdown();
  jest.useRealTimers();
});

describe('LastUse', () => {
  it('writes the first uses of all keys together within a second, with how long ago they were', async () => {
    lastUse.touch('a');
    await jest.advanceTimersByTimeAsync(400);
    lastUse.touch('b');
    expect(recordUse).not.toHaveBeenCalled();
    await jest.advanceTimersByTimeAsync(600);
    expect(recordUse.mock.calls).toEqual([
      [
        [
          { id: 'a', msAgo: 1000 },
          { id: 'b', msAgo: 600 },
        ],
      ],
    ]);
  });

  it('writes nothing when nothing was used', async () => {
    await jest.advanceTimersByTimeAsync(120_000);
    expect(recordUse).not.toHaveBeenCalled();
  });

  it('writes a busy key once a minute', async () => {
    for (let second = 0; second < 180; second++) {
      lastUse.touch('busy');
      await jest.advanceTimersByTimeAsync(1000);
    }
    expect(recordUse).toHaveBeenCalledTimes(3);
  });

  it('does not lose the last use of a key that falls silent', async () => {
    lastUse.touch('a');
    await jest.advanceTimersByTimeAsync(30_000);
    lastUse.touch('a');
    await jest.advanceTimersByTimeAsync(60_000);
    expect(recordUse).toHaveBeenCalledTimes(2);
    expect(recordUse).toHaveBeenLastCalledWith([{ id: 'a', msAgo: 31_000 }]);
  });

  it('tries a failed write again a minute later', async () => {
    recordUse.mockRejectedValueOnce(new Error('the database is away'));
    lastUse.touch('a');
    await jest.advanceTimersByTimeAsync(61_000);
    expect(recordUse).toHaveBeenCalledTimes(2);
    expect(recordUse).toHaveBeenLastCalledWith([{ id: 'a', msAgo: 61_000 }]);
  });

  it('writes what is left at shutdown, and stops', async () => {
    lastUse.touch('a');
    await jest.advanceTimersByTimeAsync(1000);
    lastUse.touch('a');
    await tasks.onModuleDestroy();
    await lastUse.beforeApplicationShutdown();
    expect(recordUse).toHaveBeenCalledTimes(2);
    lastUse.touch('a');
    await jest.advanceTimersByTimeAsync(120_000);
    expect(recordUse).toHaveBeenCalledTimes(2);
  });
});

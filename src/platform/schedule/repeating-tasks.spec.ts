import { Injectable } from '@nestjs/common';
import { SchedulerRegistry } from '@nestjs/schedule';
import { Test } from '@nestjs/testing';
import { afterEach, describe, expect, it } from '@jest/globals';
import { type Config, ConfigModule, loadConfig } from '../../config/index.js';
import { Every, RepeatingTasks, ScheduleModule } from './index.js';

const NEVER_MS = 1e9;

const scheduler = new SchedulerRegistry();

afterEach(() => {
  for (const name of scheduler.getIntervals()) scheduler.deleteInterval(name);
});

/** The timers of one object in a process of the role. */
function timersOf(owner: object, role: Config['role'] = 'all'): RepeatingTasks {
  const tasks = new RepeatingTasks({ role }, scheduler);
  tasks.begin(owner);
  return tasks;
}

/** Removes so many in all. */
class Heap {
  readonly limits: number[] = [];
  onCall = (): void => undefined;

  constructor(private left: number) {}

  @Every(NEVER_MS, { name: 'heap', role: 'background', batch: 3 })
  async remove(limit: number): Promise<number> {
    this.limits.push(limit);
    this.onCall();
    const removed = Math.min(limit, this.left);
    this.left -= removed;
    return removed;
  }
}

class Visits {
  count = 0;
  signal: AbortSignal | undefined;
  finish = (): void => undefined;
  readonly everyMs = NEVER_MS;

  @Every((visits: Visits) => visits.everyMs, { name: 'visits', role: 'any' })
  async visit(signal: AbortSignal): Promise<void> {
    this.count += 1;
    this.signal = signal;
    await new Promise<void>((resolve) => (this.finish = resolve));
  }
}

class Beats {
  count = 0;

  @Every(NEVER_MS, { name: 'beats', role: 'any', whileDraining: true })
  async beat(): Promise<void> {
    this.count += 1;
  }
}

describe('a method marked with @Every', () => {
  it('runs at its interval, on its object', async () => {
    class Often {
      ran = (): void => undefined;
      readonly everyMs = 1;

      @Every((often: Often) => often.everyMs, { name: 'often', role: 'any' })
      async run(): Promise<void> {
        this.ran();
      }
    }
    const often = new Often();
    const twice = new Promise<void>((resolve) => {
      let rounds = 0;
      often.ran = () => void (++rounds === 2 && resolve());
    });
    const tasks = timersOf(often);
    await twice;
    await tasks.beforeApplicationShutdown();
  });

  it('runs at the start when it says so', async () => {
    class Early {
      count = 0;

      @Every(NEVER_MS, { name: 'early', role: 'any', atStart: true })
      async run(): Promise<void> {
        this.count += 1;
      }
    }
    const early = new Early();
    await timersOf(early).onModuleDestroy();
    expect(early.count).toBe(1);
  });

  it('runs before its time when it is asked to, but not beside a round under way', async () => {
    const visits = new Visits();
    const tasks = timersOf(visits);
    const both = Promise.all([tasks.run('visits'), tasks.run('visits')]);
    visits.finish();
    await both;
    expect(visits.count).toBe(1);
  });

  it('is waited for when the process ends, is told so, and does not run again', async () => {
    const visits = new Visits();
    const tasks = timersOf(visits);
    void tasks.run('visits');
    expect(visits.signal?.aborted).toBe(false);
    let ended = false;
    const end = tasks.onModuleDestroy().then(() => (ended = true));
    await new Promise((resolve) => setImmediate(resolve));
    expect(visits.signal?.aborted).toBe(true);
    expect(ended).toBe(false);
    visits.finish();
    await end;
    await tasks.run('visits');
    expect(visits.count).toBe(1);
  });

  it('goes on while what is under way is waited for, when it says so', async () => {
    const beats = new Beats();
    const tasks = timersOf(beats);
    await tasks.onModuleDestroy();
    await tasks.run('beats');
    expect(beats.count).toBe(1);
    await tasks.beforeApplicationShutdown();
    await tasks.run('beats');
    expect(beats.count).toBe(1);
  });

  it('is left to processes that do background work when it says so', async () => {
    const api = timersOf(new Heap(0), 'api');
    expect(scheduler.getIntervals()).toEqual([]);
    await expect(api.run('heap')).rejects.toThrow('There is no timer "heap" in this process');
    timersOf(new Visits(), 'api');
    timersOf(new Heap(0), 'worker');
    expect(scheduler.getIntervals()).toEqual(['visits', 'heap']);
  });
});

describe('a round with a batch', () => {
  it('calls the method with it until a call has done less', async () => {
    const [more, even] = [new Heap(7), new Heap(6)];
    await timersOf(more).run('heap');
    scheduler.deleteInterval('heap');
    await timersOf(even).run('heap');
    expect(more.limits).toEqual([3, 3, 3]);
    expect(even.limits).toEqual([3, 3, 3]);
  });

  it('ends with the call under way when the process ends', async () => {
    const heap = new Heap(1000);
    const tasks = timersOf(heap);
    let ended: Promise<void> | undefined;
    heap.onCall = () => {
      if (heap.limits.length === 3) ended = tasks.onModuleDestroy();
    };
    await tasks.run('heap');
    await ended;
    expect(heap.limits).toHaveLength(3);
  });
});

describe('the schedule', () => {
  it('finds the methods of all providers, once for each', async () => {
    @Injectable()
    class Provided extends Visits {}
    const module = await Test.createTestingModule({
      imports: [ConfigModule.forRoot(loadConfig({ NODE_ENV: 'test' })), ScheduleModule],
      providers: [
        Provided,
        { provide: 'alias', useExisting: Provided },
        { provide: Beats, useFactory: () => new Beats() },
        { provide: 'nothing', useValue: null },
      ],
    }).compile();
    await module.init();
    expect(module.get(SchedulerRegistry).getIntervals().toSorted()).toEqual(['beats', 'visits']);
    await module.close();
    expect(module.get(SchedulerRegistry).getIntervals()).toEqual([]);
  });
});

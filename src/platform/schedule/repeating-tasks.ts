import { type BeforeApplicationShutdown, Inject, Injectable, type OnModuleDestroy } from '@nestjs/common';
import { MetadataScanner, Reflector } from '@nestjs/core';
import { SchedulerRegistry } from '@nestjs/schedule';
import { CONFIG, type Config } from '../../config/index.js';
import { TIMER, type TimerOptions } from './every.decorator.js';
import { RepeatingTask } from './repeating-task.js';

/** What `@Every` marks, in Nest's scheduler registry under its name, from the start of the application to its end. */
@Injectable()
export class RepeatingTasks implements OnModuleDestroy, BeforeApplicationShutdown {
  private readonly methods = new MetadataScanner();
  private readonly reflector = new Reflector();
  private readonly tasks = new Map<string, { task: RepeatingTask; options: TimerOptions }>();

  constructor(
    @Inject(CONFIG) private readonly config: Pick<Config, 'role'>,
    private readonly scheduler: SchedulerRegistry,
  ) {}

  /** Begins the timers of one object. */
  begin(owner: object): void {
    for (const name of this.methods.getAllMethodNames(Object.getPrototypeOf(owner))) {
      const method: unknown = Reflect.get(owner, name);
      if (typeof method !== 'function') continue;
      const timer = this.reflector.get(TIMER, method);
      if (timer === undefined || (timer.role === 'background' && this.config.role === 'api')) continue;
      const task = new RepeatingTask(timer.name, async (signal) => {
        const { batch } = timer;
        if (batch === undefined) await Reflect.apply(method, owner, [signal]);
        else while (!signal.aborted && (await Reflect.apply(method, owner, [batch])) === batch);
      });
      this.scheduler.addInterval(timer.name, setInterval(() => void task.run(), timer.intervalMs(owner)).unref());
      this.tasks.set(timer.name, { task, options: timer });
      if (timer.atStart) void task.run();
    }
  }

  /**
   * Starts a round before its time, unless one is under way or the process ends.
   *
   * @returns when the round under way has ended, however it did
   * @throws TypeError when this process has no timer of the name
   */
  async run(name: string): Promise<void> {
    const found = this.tasks.get(name);
    if (found === undefined) throw new TypeError(`There is no timer "${name}" in this process`);
    await found.task.run();
  }

  async onModuleDestroy(): Promise<void> {
    await this.stop(({ whileDraining }) => whileDraining !== true);
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.stop(() => true);
  }

  private async stop(which: (options: TimerOptions) => boolean): Promise<void> {
    const stopped = [...this.tasks.values()].filter(({ options }) => which(options));
    await Promise.all(stopped.map(({ task }) => task.stop()));
  }
}

import { Inject, Injectable } from '@nestjs/common';
import { SchedulerRegistry } from '@nestjs/schedule';
import { CONFIG, type Config } from '../../config/index.js';
import { RepeatingTask } from './repeating-task.js';

export interface TaskOptions {
  /** `background` work is left to the processes with the role `all` or `worker`. */
  role: 'any' | 'background';
}

/** Starts what repeats, in Nest's scheduler registry under its name. Every task must be safe on many replicas at once. */
@Injectable()
export class RepeatingTasks {
  constructor(
    @Inject(CONFIG) private readonly config: Pick<Config, 'role'>,
    private readonly scheduler: SchedulerRegistry,
  ) {}

  /**
   * Runs `work` every `intervalMs`.
   *
   * @param name unique, for people: it is what the log says when the work fails
   * @returns to be stopped when its module shuts down
   */
  every(intervalMs: number, name: string, work: () => Promise<unknown>, { role }: TaskOptions): RepeatingTask {
    const task = new RepeatingTask(name, work);
    if (role === 'any' || this.config.role !== 'api') {
      this.scheduler.addInterval(name, setInterval(() => task.run(), intervalMs).unref());
    }
    return task;
  }
}

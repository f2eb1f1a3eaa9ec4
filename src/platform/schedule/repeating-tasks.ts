import { Inject, Injectable } from '@nestjs/common';
import { SchedulerRegistry } from '@nestjs/schedule';
import { CONFIG, type Config } from '../../config/index.js';
import { RepeatingTask } from './repeating-task.js';

export interface TaskOptions {
  /** `background` work is left to the processes with the role `all` or `worker`. */
  role: 'any' | 'background';
}

/** @returns how many were removed, `limit` at most */
export type Removal = (limit: number) => Promise<number>;

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
  every(
    intervalMs: number,
    name: string,
    work: (task: RepeatingTask) => Promise<unknown>,
    { role }: TaskOptions,
  ): RepeatingTask {
    const task = new RepeatingTask(name, work);
    if (role === 'any' || this.config.role !== 'api') {
      this.scheduler.addInterval(name, setInterval(() => void task.run(), intervalMs).unref());
    }
    return task;
  }
  /**
   * Background work that removes what is over, every `intervalMs`: each removal in batches until one is not full, so that
   * no statement holds locks for long.
   *
   * @param batch how many rows one call removes at most
   * @param removals each removes up to `limit` rows and says how many they were
   * @returns to be stopped when its module shuts down; a sweep under way then ends with its batch
   */
  sweep(intervalMs: number, name: string, batch: number, ...removals: readonly Removal[]): RepeatingTask {
    const work = async (task: RepeatingTask) => {
      for (const remove of removals) while (!task.isStopped && (await remove(batch)) === batch);
    };
    return this.every(intervalMs, name, work, { role: 'background' });
  }
}

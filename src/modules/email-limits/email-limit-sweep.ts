import { Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { type RepeatingTask, RepeatingTasks } from '../../platform/schedule/index.js';
import { Transactor } from '../../platform/transaction/index.js';
import { EmailLimitsRepository } from './email-limits.repository.js';

const INTERVAL_MS = 60_000;
const BATCH = 500;

/** Removes rows in which nothing counts any more. Nothing waits for it: what is over counts as gone wherever it is met. */
@Injectable()
export class EmailLimitSweep implements OnApplicationBootstrap, OnModuleDestroy {
  private task: RepeatingTask | undefined;
  private stopping = false;

  constructor(
    private readonly tasks: RepeatingTasks,
    private readonly transactor: Transactor,
    private readonly repository: EmailLimitsRepository,
  ) {}

  onApplicationBootstrap(): void {
    this.task = this.tasks.every(INTERVAL_MS, 'email limits', () => this.sweep(), { role: 'background' });
  }

  async onModuleDestroy(): Promise<void> {
    this.stopping = true;
    await this.task?.stop();
  }

  /** @returns how many it removed */
  async sweep(): Promise<number> {
    let removed = 0;
    while (!this.stopping) {
      // Each row is decided on alone, under its lock.
      const batch = await this.transactor.run((tx) => this.repository.removeOver(tx, BATCH), {
        isolation: 'READ COMMITTED',
      });
      removed += batch;
      if (batch < BATCH) break;
    }
    return removed;
  }
}

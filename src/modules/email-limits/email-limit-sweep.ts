import { Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { type RepeatingTask, RepeatingTasks } from '../../platform/schedule/index.js';
import { EmailLimitsRepository } from './email-limits.repository.js';

const INTERVAL_MS = 60_000;
const BATCH = 500;

/** Removes rows in which nothing counts any more. Nothing waits for it: what has expired counts as gone wherever it is met. */
@Injectable()
export class EmailLimitSweep implements OnApplicationBootstrap, OnModuleDestroy {
  private task: RepeatingTask | undefined;

  constructor(
    private readonly tasks: RepeatingTasks,
    private readonly repository: EmailLimitsRepository,
  ) {}

  onApplicationBootstrap(): void {
    this.task = this.tasks.sweep(INTERVAL_MS, 'email limits', BATCH, (limit) => this.repository.removeExpired(limit));
  }

  async onModuleDestroy(): Promise<void> {
    await this.task?.stop();
  }
}

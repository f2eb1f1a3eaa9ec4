import { Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { type RepeatingTask, RepeatingTasks } from '../../platform/schedule/index.js';
import { ResetTokensRepository } from './password-reset/reset-tokens.repository.js';
import { RegistrationsRepository } from './registration/registrations.repository.js';
import { SessionsRepository } from './sessions/sessions.repository.js';

const INTERVAL_MS = 60_000;
const BATCH = 500;

/** Removes registrations nobody proved, expired tokens and sessions long ended. Nothing waits for it. */
@Injectable()
export class AccountSweep implements OnApplicationBootstrap, OnModuleDestroy {
  private task: RepeatingTask | undefined;

  constructor(
    private readonly registrations: RegistrationsRepository,
    private readonly tokens: ResetTokensRepository,
    private readonly sessions: SessionsRepository,
    private readonly tasks: RepeatingTasks,
  ) {}

  onApplicationBootstrap(): void {
    this.task = this.tasks.sweep(
      INTERVAL_MS,
      'old registrations, tokens and sessions',
      BATCH,
      (limit) => this.tokens.removeExpired(limit),
      (limit) => this.sessions.removeEnded(limit),
      (limit) => this.registrations.removeOld(limit),
    );
  }

  async onModuleDestroy(): Promise<void> {
    await this.task?.stop();
  }
}

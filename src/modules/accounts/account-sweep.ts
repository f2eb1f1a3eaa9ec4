import { Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { type RepeatingTask, RepeatingTasks } from '../../platform/schedule/index.js';
import { MailTokens } from './mail-tokens/mail-tokens.js';
import { SessionsRepository } from './sessions/sessions.repository.js';
import { UsersRepository } from './users/users.repository.js';

const INTERVAL_MS = 60_000;
const BATCH = 500;

/** Removes accounts nobody verified, expired tokens and sessions long ended. Nothing waits for it: they count as gone before. */
@Injectable()
export class AccountSweep implements OnApplicationBootstrap, OnModuleDestroy {
  private task: RepeatingTask | undefined;
  private stopping = false;

  constructor(
    private readonly users: UsersRepository,
    private readonly sessions: SessionsRepository,
    private readonly tokens: MailTokens,
    private readonly tasks: RepeatingTasks,
  ) {}

  onApplicationBootstrap(): void {
    this.task = this.tasks.every(INTERVAL_MS, 'ended accounts, sessions and tokens', () => this.sweep(), {
      role: 'background',
    });
  }

  async onModuleDestroy(): Promise<void> {
    this.stopping = true;
    await this.task?.stop();
  }

  async sweep(): Promise<void> {
    await this.exhaust(() => this.tokens.removeExpired(BATCH));
    await this.exhaust(() => this.sessions.removeEnded(BATCH));
    await this.exhaust(() => this.users.removeUnverified(BATCH));
  }

  private async exhaust(remove: () => Promise<number>): Promise<void> {
    while (!this.stopping && (await remove()) === BATCH);
  }
}

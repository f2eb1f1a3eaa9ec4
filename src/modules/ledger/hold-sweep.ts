import { Inject, Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { CONFIG, type Config } from '../../config/index.js';
import { type RepeatingTask, RepeatingTasks } from '../../platform/schedule/index.js';
import { LedgerReadsRepository } from './ledger-reads.repository.js';
import { LedgerWriter } from './ledger-writer.js';

const BATCH = 500;

/**
 * Releases the holds whose time is over. It is the janitor, not the rule: an expired hold cannot be captured, swept or not.
 * It posts through the writer like everybody, so that a capture comes before it or after it.
 */
@Injectable()
export class HoldSweep implements OnApplicationBootstrap, OnModuleDestroy {
  private task: RepeatingTask | undefined;

  constructor(
    @Inject(CONFIG) private readonly config: Pick<Config, 'SWEEP_INTERVAL_MS'>,
    private readonly tasks: RepeatingTasks,
    private readonly reads: LedgerReadsRepository,
    private readonly writer: LedgerWriter,
  ) {}

  onApplicationBootstrap(): void {
    const { SWEEP_INTERVAL_MS } = this.config;
    this.task = this.tasks.every(SWEEP_INTERVAL_MS, 'ledger holds', () => this.sweep(), { role: 'background' });
  }

  async onModuleDestroy(): Promise<void> {
    await this.task?.stop();
  }

  /** @returns how many it released */
  async sweep(): Promise<number> {
    let released = 0;
    for (;;) {
      const found = await this.reads.expiredHolds(BATCH);
      const ended = await this.release(found);
      released += ended;
      // None ended: they would be found again at once.
      if (found.length < BATCH || ended === 0) return released;
    }
  }

  private async release(holds: readonly string[]): Promise<number> {
    if (holds.length === 0) return 0;
    const { outcomes } = await this.writer.submit({
      postings: holds.map((holdId) => ({ type: 'expire', holdId })),
      mode: 'independent',
      by: { actor: 'system:ledger' },
    });
    return outcomes?.filter((outcome) => 'held' in outcome).length ?? 0;
  }
}

import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '../../config/index.js';
import { Every } from '../../platform/schedule/index.js';
import { LEDGER_LOCK, Transactor } from '../../platform/transaction/index.js';
import type { HoldId } from './ids.js';
import { LedgerBook } from './ledger-book.js';
import { LedgerMetrics } from './ledger-metrics.js';
import { LedgerReadsRepository } from './ledger-reads.repository.js';

const BATCH = 500;

/**
 * Tidies away holds whose time is over, where nothing moves. It is the janitor, not the rule: every decision and every read
 * counts them as expired, swept or not. It holds the ledger's lock like everybody, so that a capture comes before it or
 * finds the hold expired.
 */
@Injectable()
export class HoldSweep {
  constructor(
    @Inject(CONFIG) private readonly config: Pick<Config, 'SWEEP_INTERVAL_MS'>,
    private readonly reads: LedgerReadsRepository,
    private readonly transactor: Transactor,
    private readonly book: LedgerBook,
    private readonly metrics: LedgerMetrics,
  ) {}

  /** @returns how many it tidied away */
  @Every((sweep: HoldSweep) => sweep.config.SWEEP_INTERVAL_MS, { name: 'ledger holds', role: 'background' })
  async sweep(): Promise<number> {
    let tidied = 0;
    for (;;) {
      const found = await this.reads.expiredHolds(BATCH);
      const ended = found.length === 0 ? 0 : await this.expire(new Set(found));
      tidied += ended;
      // None ended: somebody else was first, or they would be found again at once.
      if (found.length < BATCH || ended === 0) return tidied;
    }
  }

  private async expire(holds: ReadonlySet<HoldId>): Promise<number> {
    const ended = await this.transactor.run((tx) => this.book.expire(tx, holds), { lockTable: LEDGER_LOCK });
    this.metrics.expired(ended);
    return ended;
  }
}

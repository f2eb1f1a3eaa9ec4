import { Inject, Injectable, Logger } from '@nestjs/common';
import { CONFIG, type Config } from '../../../config/index.js';
import { Every } from '../../../platform/schedule/index.js';
import { READ_COMMITTED, Transactor } from '../../../platform/transaction/index.js';
import { WebhookMetrics } from '../webhook-metrics.js';
import { DeadLetters } from './dead-letters.js';
import { SweepsRepository } from './sweeps.repository.js';
import { WebhookWorker } from './webhook-worker.js';

const RECOVER_BATCH = 500;
const REMOVE_BATCH = 1000;
const RETENTION_INTERVAL_MS = 60_000;

/** The janitor: leases that ended, events past their retention. Due retries need none; the worker's poll finds them. */
@Injectable()
export class WebhookSweeps {
  private readonly logger = new Logger(WebhookSweeps.name);

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly repository: SweepsRepository,
    private readonly transactor: Transactor,
    private readonly deadLetters: DeadLetters,
    private readonly metrics: WebhookMetrics,
    private readonly worker: WebhookWorker,
  ) {}

  @Every((sweeps: WebhookSweeps) => sweeps.config.SWEEP_INTERVAL_MS, { name: 'webhook leases', role: 'background' })
  async recoverAbandoned(): Promise<void> {
    const abandoned = await this.transactor.run(
      async (tx) => {
        const events = await this.repository.recoverAbandoned(tx, RECOVER_BATCH);
        const dead = events.filter(({ status }) => status === 'DEAD_LETTER');
        if (dead.length > 0) await this.deadLetters.record(tx, dead);
        return events;
      },
      // Each row is decided on alone, under its lock.
      READ_COMMITTED,
    );
    for (const event of abandoned) {
      this.metrics.abandoned(event.source, event.status);
      if (event.status === 'DEAD_LETTER') this.deadLetters.announce(event);
      else this.logger.warn({ msg: 'A webhook event was abandoned by its worker', ...event });
    }
    if (abandoned.length > 0) this.worker.ring();
  }

  @Every(RETENTION_INTERVAL_MS, { name: 'webhook retention', role: 'background', batch: REMOVE_BATCH })
  removeOld(limit: number): Promise<number> {
    return this.transactor.run(
      (tx) => this.repository.removeOld(tx, this.config.WEBHOOK_RETENTION_DAYS, limit),
      READ_COMMITTED,
    );
  }
}

import { Inject, Injectable, Logger, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { SchedulerRegistry } from '@nestjs/schedule';
import { CONFIG, type Config } from '../../../config/index.js';
import { Transactor } from '../../../platform/transaction/index.js';
import { AuditLog } from '../../audit/index.js';
import { WebhookMetrics } from '../webhook-metrics.js';
import { type AbandonedEvent, SweepsRepository } from './sweeps.repository.js';
import { WebhookWorker } from './webhook-worker.js';

const RECOVER_BATCH = 500;
const REMOVE_BATCH = 1000;
const RETENTION_INTERVAL_MS = 60_000;

/** The janitor: leases that ended, events past their retention. Due retries need none; the worker's poll finds them. */
@Injectable()
export class WebhookSweeps implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly logger = new Logger(WebhookSweeps.name);
  private readonly underWay = new Set<Promise<void>>();

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly scheduler: SchedulerRegistry,
    private readonly repository: SweepsRepository,
    private readonly transactor: Transactor,
    private readonly audit: AuditLog,
    private readonly metrics: WebhookMetrics,
    private readonly worker: WebhookWorker,
  ) {}

  onApplicationBootstrap(): void {
    if (this.config.role === 'api') return;
    this.every(this.config.SWEEP_INTERVAL_MS, 'webhook leases', () => this.recoverAbandoned());
    this.every(RETENTION_INTERVAL_MS, 'webhook retention', () => this.removeOld());
  }

  async onModuleDestroy(): Promise<void> {
    await Promise.all(this.underWay);
  }

  private async recoverAbandoned(): Promise<void> {
    const abandoned = await this.transactor.run(
      async (tx) => {
        const events = await this.repository.recoverAbandoned(tx, RECOVER_BATCH);
        const dead = events.filter(({ status }) => status === 'DEAD_LETTER');
        if (dead.length > 0) await this.audit.record(tx, dead.map(deadLetterLine));
        return events;
      },
      { isolation: 'READ COMMITTED' },
    );
    if (abandoned.length === 0) return;
    this.metrics.leasesExpired(abandoned.length);
    for (const event of abandoned) this.logger.warn({ msg: 'A webhook event was abandoned by its worker', ...event });
    this.worker.ring();
  }

  private async removeOld(): Promise<void> {
    let removed: number;
    do {
      removed = await this.transactor.run(
        (tx) => this.repository.removeOld(tx, this.config.WEBHOOK_RETENTION_DAYS, REMOVE_BATCH),
        { isolation: 'READ COMMITTED' },
      );
    } while (removed === REMOVE_BATCH);
  }

  /** Runs `sweep` each interval, never twice at once in this process; the next round makes up for a failed one. */
  private every(intervalMs: number, name: string, sweep: () => Promise<void>): void {
    let busy = false;
    const round = async () => {
      if (busy) return;
      busy = true;
      try {
        await sweep();
      } catch (error) {
        this.logger.warn(`The sweep of ${name} failed: ${(error as Error).message}`);
      } finally {
        busy = false;
      }
    };
    const tick = () => {
      const run = round().finally(() => this.underWay.delete(run));
      this.underWay.add(run);
    };
    this.scheduler.addInterval(name, setInterval(tick, intervalMs));
  }
}

function deadLetterLine({ id, source, eventId, attempts }: AbandonedEvent) {
  return {
    actor: 'system:webhooks',
    action: 'webhook.dead_lettered',
    subject: `webhook-event:${id}`,
    details: { source, eventId, attempts, error: 'abandoned' },
  };
}

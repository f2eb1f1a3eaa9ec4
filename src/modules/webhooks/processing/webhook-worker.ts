import {
  type BeforeApplicationShutdown,
  Inject,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
  type OnModuleDestroy,
} from '@nestjs/common';
import { CONFIG, type Config } from '../../../config/index.js';
import { Every } from '../../../platform/schedule/index.js';
import { type ClaimedEvent, ClaimsRepository } from './claims.repository.js';
import { EventProcessor } from './event-processor.js';

/** How long another replica's event, or a due retry, waits at most before somebody looks. */
const POLL_MS = 500;

/**
 * Claims due events and runs them, a bounded number at a time. Woken by the doorbell when this process stores an
 * event, by its own poll for everybody else's.
 */
@Injectable()
export class WebhookWorker implements OnApplicationBootstrap, OnModuleDestroy, BeforeApplicationShutdown {
  private readonly logger = new Logger(WebhookWorker.name);
  private readonly running = new Set<Promise<unknown>>();
  private active = false;
  private claiming = false;
  private lastClaim: Promise<void> | undefined;
  private rung = false;

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly claims: ClaimsRepository,
    private readonly processor: EventProcessor,
  ) {}

  onApplicationBootstrap(): void {
    if (this.config.role === 'api') return;
    this.active = true;
    this.ring();
  }

  /** Something may be due. Costs nothing when the worker is busy or not running here. */
  @Every(POLL_MS, { name: 'due webhook events', role: 'background' })
  ring(): void {
    this.rung = true;
    this.claimIfRoom();
  }

  async onModuleDestroy(): Promise<void> {
    this.active = false;
    // What it still brings must be among the running when they are waited for.
    await this.lastClaim;
  }

  /** What is running may finish; what does not within the bound is handed back by `ClaimsInFlight`. */
  async beforeApplicationShutdown(): Promise<void> {
    const bound = new Promise((resolve) => setTimeout(resolve, this.config.SHUTDOWN_TIMEOUT_MS / 2).unref());
    await Promise.race([Promise.allSettled(this.running), bound]);
  }

  private claimIfRoom(): void {
    if (this.rung && this.active && !this.claiming && this.hasRoom()) {
      this.lastClaim = this.claimAndRun();
    }
  }

  private hasRoom(): boolean {
    return this.running.size < this.config.WEBHOOK_CONCURRENCY;
  }

  private async claimAndRun(): Promise<void> {
    this.claiming = true;
    try {
      while (this.active && this.rung && this.hasRoom()) {
        this.rung = false;
        const free = this.config.WEBHOOK_CONCURRENCY - this.running.size;
        const events = await this.claims.claim(free);
        for (const event of events) this.run(event);
        if (events.length === free) this.rung = true;
      }
    } catch (error) {
      this.logger.warn(`Due events could not be claimed: ${(error as Error).message}`);
    } finally {
      this.claiming = false;
    }
  }

  private run(event: ClaimedEvent): void {
    const run = this.processor.process(event).finally(() => {
      this.running.delete(run);
      // The next event of the same entity may have become due with this one's end.
      if (event.orderingKey === null) this.claimIfRoom();
      else this.ring();
    });
    this.running.add(run);
  }
}

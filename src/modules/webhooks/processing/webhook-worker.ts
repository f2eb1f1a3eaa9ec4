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
import { ClaimsInFlight } from './claims-in-flight.js';
import { type ClaimedEvent, ClaimsRepository, MAX_CLAIMED_BYTES } from './claims.repository.js';
import { type EventGroup, EventGroups } from './event-groups.js';
import { EventProcessor } from './event-processor.js';

/** How long another replica's event, or a due retry, waits at most before somebody looks. */
const POLL_MS = 500;

/**
 * Claims due events and runs them, a bounded number of transactions at a time. Woken by the doorbell when this process stores an
 * event, by its own poll for everybody else's.
 */
@Injectable()
export class WebhookWorker implements OnApplicationBootstrap, OnModuleDestroy, BeforeApplicationShutdown {
  private readonly logger = new Logger(WebhookWorker.name);
  private readonly running = new Set<Promise<unknown>>();
  /** Claimed, until there is room. */
  private readonly waiting: EventGroup[] = [];
  private active = false;
  private claiming = false;
  private lastClaim: Promise<void> | undefined;
  private rung = false;

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly claims: ClaimsRepository,
    private readonly inFlight: ClaimsInFlight,
    private readonly groups: EventGroups,
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
    await this.processor.handBack(this.waiting.splice(0).flatMap(({ events }) => events));
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
    return this.free > 0 && this.waiting.length === 0;
  }

  private get free(): number {
    return this.config.WEBHOOK_CONCURRENCY - this.running.size;
  }

  private async claimAndRun(): Promise<void> {
    this.claiming = true;
    try {
      while (this.active && this.rung && this.hasRoom()) {
        this.rung = false;
        const limit = this.free * this.groups.expectedSize;
        const events = await this.claims.claim(limit);
        this.inFlight.hold(events);
        this.waiting.push(...this.groups.of(events));
        this.runWaiting();
        this.rung ||= events.length === limit || bytesOf(events) >= MAX_CLAIMED_BYTES;
      }
    } catch (error) {
      this.logger.warn(`Due events could not be claimed: ${(error as Error).message}`);
    } finally {
      this.claiming = false;
    }
  }

  private runWaiting(): void {
    for (let group; this.free > 0 && (group = this.waiting.shift());) this.run(group);
  }

  private run(group: EventGroup): void {
    const run = this.processor.process(group).finally(() => {
      this.running.delete(run);
      this.runWaiting();
      // The next event of the same entity may have become due with this one's end.
      if (group.events.some(({ orderingKey }) => orderingKey !== null)) this.ring();
      else this.claimIfRoom();
    });
    this.running.add(run);
  }
}

function bytesOf(events: readonly ClaimedEvent[]): number {
  return events.reduce((sum, { rawBody }) => sum + rawBody.length, 0);
}

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
import { RunningWork } from '../../../platform/work-queue/index.js';
import { ClaimsInFlight } from './claims-in-flight.js';
import { type ClaimedEvent, ClaimsRepository } from './claims.repository.js';
import { type EventGroup, EventGroups } from './event-groups.js';
import { EventProcessor } from './event-processor.js';

/** How long another replica's event, or a due retry, waits at most before somebody looks. */
const POLL_MS = 500;

/** For so long what was claimed waits for a transaction to end. */
const MAX_WAIT_MS = 3000;
/** Of the bodies of all that is claimed: beyond it only what can begin at once is claimed. */
const MAX_BYTES = 16 * 1024 * 1024;

/**
 * Claims due events and runs them, a bounded number of transactions at a time. Woken by the doorbell when this process stores an
 * event, by its own poll for everybody else's.
 */
@Injectable()
export class WebhookWorker implements OnApplicationBootstrap, OnModuleDestroy, BeforeApplicationShutdown {
  private readonly logger = new Logger(WebhookWorker.name);
  private readonly running = new RunningWork();
  /** Claimed, until there is room. */
  private readonly waiting: EventGroup[] = [];
  /** When a transaction last began or ended. */
  private progressAt = 0;
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
    await this.handBackWaiting();
  }

  /** When all that run hang, what waits for them is better off with another process. */
  @Every(POLL_MS, { name: 'waiting webhook events', role: 'background' })
  async handBackStuck(): Promise<void> {
    if (performance.now() - this.progressAt > MAX_WAIT_MS) await this.handBackWaiting();
  }

  private async handBackWaiting(): Promise<void> {
    await this.processor.handBack(eventsOf(this.waiting.splice(0)));
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.running.drain(this.config.SHUTDOWN_TIMEOUT_MS / 2);
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
        const { free } = this;
        const bytes = Math.max(1, MAX_BYTES - bytesOf(this.inFlight.claims));
        const events = await this.claims.claim(free * this.groups.expectedSize, free, bytes);
        // Keeps their leases while they wait.
        this.inFlight.hold(events);
        this.runSoon(this.groups.of(events));
        this.rung ||= events.length >= free || bytesOf(events) >= bytes;
      }
    } catch (error) {
      this.logger.warn(`Due events could not be claimed: ${(error as Error).message}`);
    } finally {
      this.claiming = false;
    }
  }

  private runSoon(groups: readonly EventGroup[]): void {
    this.waiting.push(...groups);
    for (let group; this.free > 0 && (group = this.waiting.shift());) this.run(group);
    this.progressAt = performance.now();
  }

  private run(group: EventGroup): void {
    this.running.add(this.process(group), () => {
      this.runSoon([]);
      // The next event of the same entity may have become due with this one's end.
      if (group.events.some(({ orderingKey }) => orderingKey !== null)) this.ring();
      else this.claimIfRoom();
    });
  }

  private async process(group: EventGroup): Promise<void> {
    const parts = await this.processor.process(group);
    if (this.active) this.waiting.push(...parts);
    else await this.processor.handBack(eventsOf(parts));
  }
}

function eventsOf(groups: readonly EventGroup[]): ClaimedEvent[] {
  return groups.flatMap(({ events }) => events);
}

function bytesOf(events: readonly ClaimedEvent[]): number {
  return events.reduce((sum, { rawBody }) => sum + rawBody.length, 0);
}

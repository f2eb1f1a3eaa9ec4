import { Inject, Injectable, Logger, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { setTimeout as delay } from 'node:timers/promises';
import { CONFIG, type Config } from '../../../config/index.js';
import { type RepeatingTask, RepeatingTasks } from '../../../platform/schedule/index.js';
import { type ClaimedEvent, ClaimsRepository } from './claims.repository.js';
import { HandedBackError } from './handler.errors.js';

/** A lease survives two missed heartbeats. */
const HEARTBEATS_PER_LEASE = 3;
/** How long an aborted attempt may take to roll back before the process ends all the same. */
const HAND_BACK_MS = 3000;

interface Held {
  event: ClaimedEvent;
  controller: AbortController;
  done: Promise<void>;
  markDone: () => void;
}

/** The claims this process is working on: keeps their leases alive, hands them back when the process ends. */
@Injectable()
export class ClaimsInFlight implements OnModuleInit, OnApplicationShutdown {
  private readonly logger = new Logger(ClaimsInFlight.name);
  private heartbeat: RepeatingTask | undefined;
  private readonly held = new Map<string, Held>();

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly claims: ClaimsRepository,
    private readonly tasks: RepeatingTasks,
  ) {}

  onModuleInit(): void {
    const interval = this.config.WEBHOOK_LEASE_MS / HEARTBEATS_PER_LEASE;
    this.heartbeat = this.tasks.every(interval, 'webhook heartbeats', () => this.beat(), { role: 'any' });
  }

  /** @returns aborted with HandedBackError when the process ends; the caller also aborts it when the time is up */
  hold(event: ClaimedEvent): AbortController {
    const controller = new AbortController();
    let markDone = (): void => undefined;
    const done = new Promise<void>((resolve) => (markDone = resolve));
    this.held.set(event.claimId, { event, controller, done, markDone });
    return controller;
  }

  drop(event: ClaimedEvent): void {
    this.held.get(event.claimId)?.markDone();
    this.held.delete(event.claimId);
  }

  async onApplicationShutdown(): Promise<void> {
    await this.heartbeat?.stop();
    const left = [...this.held.values()];
    if (left.length === 0) return;
    this.logger.warn(`Handing back ${left.length} unfinished webhook events`);
    for (const { controller } of left) controller.abort(new HandedBackError());
    await Promise.race([Promise.all(left.map(({ done }) => done)), delay(HAND_BACK_MS, undefined, { ref: false })]);
  }

  private async beat(): Promise<void> {
    // The database decides at completion whether we still hold a claim; a beat that is missed proves nothing.
    if (this.held.size > 0) await this.claims.extend([...this.held.values()].map(({ event }) => event));
  }
}

import { Inject, Injectable, Logger, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { CONFIG, type Config } from '../../../config/index.js';
import { ClaimLostError } from './handler.errors.js';
import { ClaimsRepository } from './claims.repository.js';

/** A lease survives two missed heartbeats. */
const HEARTBEATS_PER_LEASE = 3;

/** The claims this process is working on: keeps their leases alive, hands them back when the process ends. */
@Injectable()
export class ClaimsInFlight implements OnModuleInit, OnApplicationShutdown {
  private readonly logger = new Logger(ClaimsInFlight.name);
  private readonly held = new Map<string, AbortController>();
  private timer: NodeJS.Timeout | undefined;

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly claims: ClaimsRepository,
  ) {}

  onModuleInit(): void {
    const interval = this.config.WEBHOOK_LEASE_MS / HEARTBEATS_PER_LEASE;
    this.timer = setInterval(() => void this.beat(), interval).unref();
  }

  get size(): number {
    return this.held.size;
  }

  /** @returns aborted when the claim is lost; the caller also aborts it when the time is up */
  hold(claimId: string): AbortController {
    const controller = new AbortController();
    this.held.set(claimId, controller);
    return controller;
  }

  drop(claimId: string): void {
    this.held.delete(claimId);
  }

  async onApplicationShutdown(): Promise<void> {
    clearInterval(this.timer);
    const claimIds = [...this.held.keys()];
    if (claimIds.length === 0) return;
    this.logger.warn(`Handing back ${claimIds.length} unfinished webhook events`);
    for (const controller of this.held.values()) controller.abort(new Error('The server is shutting down'));
    await this.claims.release(claimIds);
  }

  private async beat(): Promise<void> {
    const claimIds = [...this.held.keys()];
    if (claimIds.length === 0) return;
    try {
      const kept = await this.claims.extend(claimIds);
      for (const claimId of claimIds) {
        if (!kept.has(claimId)) this.held.get(claimId)?.abort(new ClaimLostError(claimId));
      }
    } catch (error) {
      // The database decides at completion whether we still hold the claim; a missed beat alone proves nothing.
      this.logger.warn(`Heartbeat failed: ${(error as Error).message}`);
    }
  }
}

import { Inject, Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import { CONFIG, type Config } from '../../../config/index.js';
import { HEARTBEATS_PER_LEASE, InFlight } from '../../../platform/lease/index.js';
import { Every } from '../../../platform/schedule/index.js';
import { type ClaimedEvent, ClaimsRepository } from './claims.repository.js';
import { HandedBackError } from './handler.errors.js';

/** The claims this process is working on: keeps their leases alive, hands them back when the process ends. */
@Injectable()
export class ClaimsInFlight extends InFlight<ClaimedEvent> implements OnApplicationShutdown {
  private readonly logger = new Logger(ClaimsInFlight.name);

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly repository: ClaimsRepository,
  ) {
    super();
  }

  async onApplicationShutdown(): Promise<void> {
    const left = this.claims.length;
    if (left > 0) this.logger.warn(`Handing back ${left} unfinished webhook events`);
    await this.handBack(new HandedBackError());
  }

  @Every((claims: ClaimsInFlight) => claims.config.WEBHOOK_LEASE_MS / HEARTBEATS_PER_LEASE, {
    name: 'webhook heartbeats',
    role: 'any',
    whileDraining: true,
  })
  async beat(): Promise<void> {
    const events = this.claims;
    // The key of the attempt decides in the end whose the event is; a beat that is missed proves nothing.
    if (events.length > 0) await this.repository.extend(events);
  }
}

import { Inject, Injectable } from '@nestjs/common';
import { Every } from '../../../platform/schedule/index.js';
import { InFlight } from '../../../platform/work-queue/index.js';
import { type ClaimedEvent, ClaimsRepository } from './claims.repository.js';

/**
 * The events this process is working on, in a worker or in the request that brought them. The key of the attempt decides in the
 * end whose an event is; to be told that it is lost only saves the work.
 */
@Injectable()
export class ClaimsInFlight extends InFlight<ClaimedEvent> {
  constructor(@Inject(ClaimsRepository) repository: ClaimsRepository) {
    super(repository);
  }

  @Every((claims: ClaimsInFlight) => claims.heartbeat, { name: 'webhook heartbeats', role: 'any', whileDraining: true })
  override beat(): Promise<void> {
    return super.beat();
  }
}

import { Injectable } from '@nestjs/common';
import { type RepeatClaim, RepeatLookup } from '../rate-limit/index.js';
import { IdempotencyStore } from './idempotency-store.js';

/** Tells the rate limiter of repeats that no cache knew. */
@Injectable()
export class StoredRepeats extends RepeatLookup {
  constructor(private readonly store: IdempotencyStore) {
    super();
  }

  override async isRepeat(claim: RepeatClaim): Promise<boolean> {
    const known = await this.store.find(claim);
    return known?.state === 'completed' && known.fingerprint === claim.fingerprint;
  }
}

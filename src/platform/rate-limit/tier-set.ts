import { policyOf, type Tier } from './tier.js';

/** The tiers of a request, made once for the many requests that have the same. */
export class TierSet {
  /** The field `RateLimit-Policy`: every tier that may refuse; empty when all are shadows. */
  readonly policy: string;

  /** @param tiers at least one */
  constructor(readonly tiers: readonly Tier[]) {
    this.policy = tiers
      .filter(({ shadow }) => !shadow)
      .map(policyOf)
      .join(', ');
  }
}

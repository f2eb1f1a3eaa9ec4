import type { ApplicableTiers, OwnLimits } from './applicable-tiers.js';
import { EVERYONE } from './overrides/rate-limit-overrides.js';
import type { RouteRule } from './route-rules.js';
import type { TierSet } from './tier-set.js';

interface Single {
  readonly own: OwnLimits | undefined;
  readonly set: TierSet | undefined;
}

const MAX_SINGLES = 10_000;

/** The tiers of the routes that have the same rules: one set for nearly everybody, and those of the exceptions. */
export class RouteTiers {
  private common: TierSet | undefined;
  private readonly singles = new Map<string, Single>();
  private version = -1;

  constructor(
    private readonly rules: readonly RouteRule[],
    private readonly applicable: ApplicableTiers,
  ) {}

  /** @returns undefined when nothing limits the subject here */
  of(subject: string, own: OwnLimits | undefined): TierSet | undefined {
    if (this.version !== this.applicable.version) this.renew();
    if (own === undefined && !this.applicable.isOverridden(subject)) return this.common;
    const known = this.singles.get(subject);
    if (known !== undefined && known.own === own) return known.set;
    const set = this.applicable.set(this.rules, subject, own);
    if (this.singles.size >= MAX_SINGLES) this.singles.clear();
    this.singles.set(subject, { own, set });
    return set;
  }

  private renew(): void {
    this.version = this.applicable.version;
    this.common = this.applicable.set(this.rules, EVERYONE, undefined);
    this.singles.clear();
  }
}

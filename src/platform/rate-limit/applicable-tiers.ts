import { Injectable } from '@nestjs/common';
import type { RateLimitRuleName } from '../../config/index.js';
import { EVERYONE, RateLimitOverrides } from './overrides/rate-limit-overrides.js';
import { RateLimitRules } from './rate-limit-rules.js';
import { type Tier, tier } from './tier.js';
import { TierSet } from './tier-set.js';

/** Limits that an API key carries, by name of the rule; 0 turns one off. */
export type OwnLimits = Readonly<Record<string, number>>;

/** A rule as it applies to one subject. */
export interface ApplicableRule extends Omit<Tier, 'name' | 'slotMs'> {
  readonly name: RateLimitRuleName;
}

/** Which tiers apply to whom: the rules as configured, a key's own limits, overrides. */
@Injectable()
export class ApplicableTiers {
  constructor(
    private readonly rules: RateLimitRules,
    private readonly overrides: RateLimitOverrides,
  ) {}

  /** Grows when overrides change. */
  get version(): number {
    return this.overrides.version;
  }

  isOverridden(subject: string): boolean {
    return this.overrides.of(subject) !== undefined;
  }

  /** An admin's word about the subject goes first, then the key's own limit, then what holds for everyone. */
  rule(name: RateLimitRuleName, subject: string, own: OwnLimits | undefined): ApplicableRule {
    const { limit, windowMs, algorithm, shadow } = this.rules.get(name);
    const particular = this.overrides.of(subject)?.get(name);
    const general = this.overrides.of(EVERYONE)?.get(name);
    return {
      name,
      limit: particular?.limit ?? own?.[name] ?? general?.limit ?? limit,
      windowMs,
      algorithm,
      shadow: particular?.shadow ?? general?.shadow ?? shadow,
    };
  }

  /** @returns undefined when all of the rules are turned off */
  set(names: readonly RateLimitRuleName[], subject: string, own: OwnLimits | undefined): TierSet | undefined {
    const tiers = names
      .map((name) => this.rule(name, subject, own))
      .filter(({ limit }) => limit > 0)
      .map(({ name, limit, windowMs, algorithm, shadow }) => tier(name, limit, windowMs, algorithm, shadow));
    return tiers.length > 0 ? new TierSet(tiers) : undefined;
  }
}

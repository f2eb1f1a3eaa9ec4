import { Injectable } from '@nestjs/common';
import { EVERYONE, RateLimitOverrides } from './overrides/rate-limit-overrides.js';
import { type RateLimitRule, RateLimitRules } from './rate-limit-rules.js';
import type { RouteRule } from './route-rules.js';
import { type Tier, tier } from './tier.js';
import { TierSet } from './tier-set.js';

/** Limits that an API key carries, by name of the rule; 0 turns one off. */
export type OwnLimits = Readonly<Record<string, number>>;

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

  /**
   * An admin's word about the subject goes first, then the key's own limit, then the route's, then what holds for everyone:
   * more for all must not open a route that was given less.
   */
  rule({ name, ...ofRoute }: RouteRule, subject: string, own: OwnLimits | undefined): RateLimitRule {
    const { limit, windowMs, algorithm, shadow } = this.rules.get(name);
    const particular = subject === EVERYONE ? undefined : this.overrides.of(subject)?.get(name);
    const general = this.overrides.of(EVERYONE)?.get(name);
    return {
      name,
      limit: particular?.limit ?? own?.[name] ?? ofRoute.limit ?? general?.limit ?? limit,
      windowMs: ofRoute.windowMs ?? windowMs,
      algorithm,
      shadow: particular?.shadow ?? general?.shadow ?? shadow,
    };
  }

  /** @returns undefined when all of the rules are turned off */
  set(rules: readonly RouteRule[], subject: string, own: OwnLimits | undefined): TierSet | undefined {
    const tiers = rules.map((rule) => this.tier(rule, subject, own)).filter(({ limit }) => limit > 0);
    return tiers.length > 0 ? new TierSet(tiers) : undefined;
  }

  private tier(rule: RouteRule, subject: string, own: OwnLimits | undefined): Tier {
    const { name, limit, windowMs, algorithm, shadow } = this.rule(rule, subject, own);
    return tier(name, limit, windowMs, algorithm, shadow, rule.counter);
  }
}

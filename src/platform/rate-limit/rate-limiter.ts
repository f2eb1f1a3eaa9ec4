import { Inject, Injectable, Logger } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { RateLimitRuleName } from '../../config/index.js';
import { DatabaseClock } from '../clock/index.js';
import { ApplicableTiers, type OwnLimits } from './applicable-tiers.js';
import type { Decision } from './decision.js';
import type { Reading } from './reading.js';
import { announce } from './rate-limit-headers.js';
import { RateLimitMetrics } from './rate-limit-metrics.js';
import { type RateLimitRule, RateLimitRules } from './rate-limit-rules.js';
import type { RateLimitStore } from './rate-limit-store.js';
import { RateLimitedError } from './rate-limited.error.js';
import { networkOf } from './subject.js';
import { type Tier, tier } from './tier.js';
import { TierSet } from './tier-set.js';

/** Injection token of the `RateLimitStore`. */
export const RATE_LIMIT_STORE = Symbol('RATE_LIMIT_STORE');

/** Of `platform/auth`, which imports this folder. */
type Principal = NonNullable<FastifyRequest['principal']>;

/** What a request was charged. */
export interface RateLimitCharge {
  readonly subject: string;
  readonly tiers: readonly Tier[];
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Set once limits have let the request pass. */
    rateLimit?: RateLimitCharge;
  }
}

/** How much of a rule a subject has used. */
export interface RuleUse extends RateLimitRule, Reading {}

/** Limits requests and tells clients about it. */
@Injectable()
export class RateLimiter {
  private readonly logger = new Logger(RateLimiter.name);
  /** By rule, then by limit: as many as sources are configured with. */
  private readonly single = new Map<RateLimitRuleName, Map<number, TierSet>>();

  constructor(
    @Inject(RATE_LIMIT_STORE) private readonly store: RateLimitStore,
    private readonly rules: RateLimitRules,
    private readonly applicable: ApplicableTiers,
    private readonly clock: DatabaseClock,
    private readonly metrics: RateLimitMetrics,
  ) {}

  /**
   * Counts one request against a rule whose limit the caller knows, and sets the headers of rate limits on the reply.
   * With the memory store it answers at once, without a promise.
   *
   * @param scope what else the count belongs to, for example the source
   * @param ip IPv6 is counted by its /64: one customer, one count
   * @param limit in the rule's window; 0 for no limit
   * @throws RateLimitedError (429)
   */
  enforce(
    rule: RateLimitRuleName,
    scope: readonly string[],
    ip: string,
    limit: number,
    reply: FastifyReply,
  ): void | Promise<void> {
    if (limit === 0) return;
    let subject: string = rule;
    for (const part of scope) subject += `:${part}`;
    subject += `:${networkOf(ip)}`;
    const set = this.setOf(rule, limit);
    const decision = this.decide(subject, set);
    if (decision instanceof Promise) return decision.then((made) => this.settle(made, set, reply));
    this.settle(decision, set, reply);
  }

  /**
   * Counts one use of something particular, such as payments for a user, by whoever is calling: each by itself, so that a service
   * which acts for many is not stopped by what it does for one.
   *
   * @param of what, besides the caller, it is counted for
   * @throws RateLimitedError (429)
   */
  async charge(rule: RateLimitRuleName, principal: Principal, of: string): Promise<void> {
    const subject = this.subjectOf(principal);
    const set = this.applicable.set([{ name: rule }], subject, ownLimitsOf(principal));
    if (set === undefined) return;
    this.settle(await this.decide(`${subject}|${of}`, set), set, undefined);
  }

  /** A key that counts for another counts for itself once an admin has said something about it. */
  subjectOf(principal: Principal): string {
    if (principal.kind !== 'api-key') return principal.actor;
    const { actor, limitedAs = actor } = principal;
    return limitedAs === actor || this.applicable.isOverridden(actor) ? actor : limitedAs;
  }

  /** Counts one request, or refuses it; nothing is told to anybody yet. */
  decide(subject: string, set: TierSet): Decision | Promise<Decision> {
    const decision = this.store.take(subject, set.tiers);
    // One in memory takes less time than measuring it.
    if (!(decision instanceof Promise)) return decision;
    const start = performance.now();
    return decision.then((made) => {
      this.metrics.observe((performance.now() - start) / 1000);
      return made;
    });
  }

  /** Tells the client, if there is a reply to tell it on, and the metrics. @throws RateLimitedError (429) for a refused request */
  settle(decision: Decision, set: TierSet, reply: FastifyReply | undefined): void {
    const now = this.clock.now();
    if (reply !== undefined) announce(reply, set, decision, now);
    for (const { name } of decision.charged) this.metrics.count(name, 'allowed');
    for (const { name, shadow } of decision.full) this.metrics.count(name, shadow ? 'shadow_refused' : 'refused');
    if (decision.allowed) return;
    if (decision.tightest) this.metrics.countRefusal(decision.tightest.name);
    throw new RateLimitedError(decision, now);
  }

  /**
   * For a request that turned out to be a repeat after it had been charged: repeats are free. Does nothing for one that was
   * not charged, and nothing a second time. It is not waited for: nobody's answer depends on it.
   */
  refund(request: Pick<FastifyRequest, 'rateLimit'>): void {
    const charge = request.rateLimit;
    if (charge === undefined) return;
    delete request.rateLimit;
    for (const { name } of charge.tiers) this.metrics.count(name, 'refunded');
    void this.giveBack(charge);
  }

  /** What limits a subject by these rules, and how much of it is used. */
  async usage(subject: string, own: OwnLimits | undefined, names: readonly RateLimitRuleName[]): Promise<RuleUse[]> {
    const rules = names.map((name) => this.applicable.rule({ name }, subject, own));
    const limited = rules.filter(({ limit }) => limit > 0);
    const tiers = limited.map((rule) => tier(rule.name, rule.limit, rule.windowMs, rule.algorithm, rule.shadow));
    const readings = tiers.length > 0 ? await this.store.look(subject, tiers) : [];
    return rules.map((rule) => ({
      ...rule,
      ...(readings[limited.indexOf(rule)] ?? { used: 0, waitMs: 0, clearMs: 0 }),
    }));
  }

  private async giveBack({ subject, tiers }: RateLimitCharge): Promise<void> {
    try {
      await this.store.refund(subject, tiers);
    } catch (error) {
      this.logger.warn({ msg: 'A repeat could not be given back to its limits', err: error });
    }
  }

  private setOf(name: RateLimitRuleName, limit: number): TierSet {
    const known = this.single.get(name)?.get(limit);
    if (known) return known;
    const { windowMs, algorithm, shadow } = this.rules.get(name);
    const set = new TierSet([tier(name, limit, windowMs, algorithm, shadow)]);
    const byLimit = this.single.get(name) ?? new Map<number, TierSet>();
    this.single.set(name, byLimit.set(limit, set));
    return set;
  }
}

/** Limits that a key carries. */
export function ownLimitsOf(principal: Principal): OwnLimits | undefined {
  return principal.kind === 'api-key' ? (principal.limits ?? undefined) : undefined;
}

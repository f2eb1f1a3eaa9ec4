import { type CanActivate, type ExecutionContext, Injectable, Optional, type Type } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { ApplicableTiers } from './applicable-tiers.js';
import { MemoryRateLimitStore } from './adapters/memory-rate-limit-store.js';
import type { Decision } from './decision.js';
import { rulesOf } from './rate-limit.decorator.js';
import { RateLimitMetrics } from './rate-limit-metrics.js';
import { DEFAULT_RULES, MUTATION_RULES } from './rate-limit-rules.js';
import { RateLimiter } from './rate-limiter.js';
import { type RepeatClaim, RepeatLookup } from './repeat-lookup.js';
import { RouteTiers } from './route-tiers.js';
import { addressSubject } from './subject.js';
import { tier } from './tier.js';
import type { TierSet } from './tier-set.js';

type Handler = ReturnType<ExecutionContext['getHandler']>;

/** What limits a route, by who calls and how. */
interface RoutePlan {
  readonly controller: Type;
  /** Null where nothing but an `@RateLimit` could limit callers without a credential, and there is none. */
  readonly anyone: RouteTiers | null;
  readonly reading: RouteTiers;
  readonly changing: RouteTiers;
}

/** A caller over its limits may still have so many of its requests looked up: each costs a query. */
const LOOKUPS = [tier('lookups', 100, 1000)];

/**
 * Limits every request with a credential by the default rules and the `@RateLimit` ones of its route, and those to public
 * routes, by address, by the latter. It runs after the `AuthGuard`, which knows who calls, and the `IdempotencyGuard`, which
 * knows repeats: they are free.
 */
@Injectable()
export class RateLimitGuard implements CanActivate {
  private readonly plans = new WeakMap<Handler, RoutePlan[]>();
  private readonly tiers = new Map<string, RouteTiers>();
  private readonly lookups = new MemoryRateLimitStore();

  constructor(
    private readonly limiter: RateLimiter,
    private readonly applicable: ApplicableTiers,
    private readonly metrics: RateLimitMetrics,
    @Optional() private readonly repeats?: RepeatLookup,
  ) {}

  /** @throws RateLimitedError (429) */
  canActivate(context: ExecutionContext): true | Promise<true> {
    const http = context.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    if (request.idempotency?.answer !== undefined) return true;
    const plan = this.planOf(context.getHandler(), context.getClass());
    const { principal } = request;
    if (principal === undefined) {
      if (plan.anyone === null) return true;
      const subject = addressSubject(request.ip);
      return this.limit(http.getResponse(), request, subject, plan.anyone.of(subject, undefined));
    }
    const tiers = isSafe(request.method) ? plan.reading : plan.changing;
    if (principal.kind !== 'api-key') {
      return this.limit(http.getResponse(), request, principal.actor, tiers.of(principal.actor, undefined));
    }
    const subject = this.subjectOf(principal);
    return this.limit(http.getResponse(), request, subject, tiers.of(subject, principal.limits ?? undefined));
  }

  /** A key that counts for another counts for itself once an admin has said something about it. */
  private subjectOf({ actor, limitedAs = actor }: { actor: string; limitedAs?: string }): string {
    return limitedAs === actor || this.applicable.isOverridden(actor) ? actor : limitedAs;
  }

  private limit(
    reply: FastifyReply,
    request: FastifyRequest,
    subject: string,
    set: TierSet | undefined,
  ): true | Promise<true> {
    if (set === undefined) return true;
    const decision = this.limiter.decide(subject, set);
    return decision instanceof Promise
      ? decision.then((made) => this.conclude(made, reply, request, subject, set))
      : this.conclude(decision, reply, request, subject, set);
  }

  private conclude(
    decision: Decision,
    reply: FastifyReply,
    request: FastifyRequest,
    subject: string,
    set: TierSet,
  ): true | Promise<true> {
    const claim = request.idempotency?.claim;
    if (!decision.allowed && claim !== undefined && this.repeats !== undefined && this.mayLookUp(subject)) {
      return this.concludeRepeat(this.repeats, claim, decision, reply, set);
    }
    this.limiter.settle(decision, set, reply);
    if (claim !== undefined) request.rateLimit = { subject, tiers: decision.charged };
    return true;
  }

  private async concludeRepeat(
    repeats: RepeatLookup,
    claim: RepeatClaim,
    decision: Decision,
    reply: FastifyReply,
    set: TierSet,
  ): Promise<true> {
    if (await repeats.isRepeat(claim)) {
      for (const { name } of decision.full) this.metrics.count(name, 'repeat');
    } else {
      this.limiter.settle(decision, set, reply);
    }
    return true;
  }

  private mayLookUp(subject: string): boolean {
    return this.lookups.take(subject, LOOKUPS).allowed;
  }

  /** By controller too: two may inherit one handler and differ in their own rules. */
  private planOf(handler: Handler, controller: Type): RoutePlan {
    const known = this.plans.get(handler);
    if (known !== undefined) for (const plan of known) if (plan.controller === controller) return plan;
    const named = rulesOf(handler, controller);
    const plan: RoutePlan = {
      controller,
      anyone: named.length > 0 ? this.tiersOf(named) : null,
      // What only reads is no mutation, though its controller names the rule.
      reading: this.tiersOf([...DEFAULT_RULES, ...named.filter((name) => name !== 'mutations')]),
      changing: this.tiersOf([...MUTATION_RULES, ...named]),
    };
    this.plans.set(handler, [...(known ?? []), plan]);
    return plan;
  }

  /** Routes with the same rules share their sets. */
  private tiersOf(names: Parameters<ApplicableTiers['set']>[0]): RouteTiers {
    const unique = [...new Set(names)];
    const key = unique.join();
    const known = this.tiers.get(key);
    if (known) return known;
    const made = new RouteTiers(unique, this.applicable);
    this.tiers.set(key, made);
    return made;
  }
}

/** RFC 9110, section 9.2.1. */
function isSafe(method: string): boolean {
  return method === 'GET' || method === 'HEAD' || method === 'OPTIONS';
}

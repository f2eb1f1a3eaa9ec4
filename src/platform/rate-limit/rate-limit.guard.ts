import { type CanActivate, type ExecutionContext, Injectable, type OnModuleInit, Optional } from '@nestjs/common';
import { DiscoveryService, MetadataScanner, Reflector } from '@nestjs/core';
import {
  InjectThrottlerOptions,
  InjectThrottlerStorage,
  ThrottlerGuard as Throttler,
  type ThrottlerModuleOptions,
  type ThrottlerStorage,
} from '@nestjs/throttler';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { ApplicableTiers } from './applicable-tiers.js';
import { MemoryRateLimitStore } from './adapters/memory-rate-limit-store.js';
import type { Decision } from './decision.js';
import { RateLimitMetrics } from './rate-limit-metrics.js';
import { ownLimitsOf, RateLimiter } from './rate-limiter.js';
import { type RepeatClaim, RepeatLookup } from './repeat-lookup.js';
import { type Controller, type Handler, isSafe, type RouteRule, routeRules } from './route-rules.js';
import { RouteTiers } from './route-tiers.js';
import { addressSubject } from './subject.js';
import { tier } from './tier.js';
import type { TierSet } from './tier-set.js';

/**
 * Its own types know promises only. Nest takes an answer at once as well, and with a store in memory there is one: a request
 * need not wait for it.
 */
const ThrottlerGuard: new (...of: ConstructorParameters<typeof Throttler>) => CanActivate & OnModuleInit = Throttler;

/** What limits a route, by who calls and how; null where nothing does. */
interface RoutePlan {
  readonly controller: Controller;
  readonly anyone: RouteTiers | null;
  readonly reading: RouteTiers | null;
  readonly changing: RouteTiers | null;
}

/** A caller over its limits may still have so many of its requests looked up: each costs a query. */
const LOOKUPS = [tier('lookups', 100, 1000)];

/**
 * Limits every request with a credential by the default rules and those that its route asks for with `@Throttle`, and those to
 * public routes, by address, by the latter. It runs after the `AuthGuard`, which knows who calls, and the `IdempotencyGuard`,
 * which knows repeats: they are free. Where `ThrottlerGuard` asks its storage rule by rule, so that a refusal has been charged
 * to those before, this takes one step for all.
 */
@Injectable()
export class RateLimitGuard extends ThrottlerGuard {
  private readonly plans = new WeakMap<Handler, RoutePlan[]>();
  private readonly tiers = new Map<string, RouteTiers>();
  private readonly lookups = new MemoryRateLimitStore();

  constructor(
    @InjectThrottlerOptions() options: ThrottlerModuleOptions,
    @InjectThrottlerStorage() storage: ThrottlerStorage,
    reflector: Reflector,
    private readonly limiter: RateLimiter,
    private readonly applicable: ApplicableTiers,
    private readonly metrics: RateLimitMetrics,
    private readonly discovery: DiscoveryService,
    private readonly scanner: MetadataScanner,
    @Optional() private readonly repeats?: RepeatLookup,
  ) {
    super(options, storage, reflector);
  }

  /** @throws TypeError for a mistake in a `@Throttle` or `@SkipThrottle`: the start is the time to hear of it */
  override async onModuleInit(): Promise<void> {
    await super.onModuleInit();
    for (const { metatype } of this.discovery.getControllers()) {
      if (!metatype) continue;
      for (const name of this.scanner.getAllMethodNames(metatype.prototype)) {
        this.planOf(metatype.prototype[name], metatype);
      }
    }
  }

  /** @throws RateLimitedError (429) */
  override canActivate(context: ExecutionContext): true | Promise<true> {
    const http = context.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    if (request.idempotency?.answer !== undefined) return true;
    const plan = this.planOf(context.getHandler(), context.getClass());
    const { principal } = request;
    const tiers = principal === undefined ? plan.anyone : isSafe(request.method) ? plan.reading : plan.changing;
    if (tiers === null) return true;
    const subject = this.getTracker(request);
    const own = principal === undefined ? undefined : ownLimitsOf(principal);
    return this.limit(http.getResponse(), request, subject, tiers.of(subject, own));
  }

  /** Whom a request is counted for: its credential, else its address. */
  protected getTracker({ principal, ip }: FastifyRequest): string {
    return principal === undefined ? addressSubject(ip) : this.limiter.subjectOf(principal);
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
  private planOf(handler: Handler, controller: Controller): RoutePlan {
    const known = this.plans.get(handler);
    if (known !== undefined) for (const plan of known) if (plan.controller === controller) return plan;
    const { anyone, reading, changing } = routeRules(handler, controller);
    const plan: RoutePlan = {
      controller,
      anyone: this.tiersOf(anyone),
      reading: this.tiersOf(reading),
      changing: this.tiersOf(changing),
    };
    this.plans.set(handler, [...(known ?? []), plan]);
    return plan;
  }

  /** Routes with the same rules share their sets. */
  private tiersOf(rules: readonly RouteRule[]): RouteTiers | null {
    if (rules.length === 0) return null;
    const key = JSON.stringify(rules);
    const known = this.tiers.get(key);
    if (known) return known;
    const made = new RouteTiers(rules, this.applicable);
    this.tiers.set(key, made);
    return made;
  }
}

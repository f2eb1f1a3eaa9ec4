import { Inject, Injectable, Logger } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import ipaddr from 'ipaddr.js';
import { DatabaseClock } from '../clock/index.js';
import { Metrics } from '../metrics/index.js';
import { REDIS, type RedisConnection } from '../redis/index.js';
import { MemoryRateLimitStore } from './memory-rate-limit-store.js';
import type { RateLimitStore } from './rate-limit-store.js';
import { RateLimitedError } from './rate-limited.error.js';
import { RedisRateLimitStore } from './redis-rate-limit-store.js';
import type { RateDecision, RateLimit } from './sliding-window.js';

const MINUTE_MS = 60_000;
/** After a failure Redis is left alone this long: a black hole must not slow every request by its time-out. */
const REDIS_PAUSE_MS = 1000;

/** Limits requests per minute and tells the client about it. Over Redis for all replicas, else in memory. */
@Injectable()
export class RateLimiter {
  private readonly logger = new Logger(RateLimiter.name);
  private readonly local = new MemoryRateLimitStore();
  private readonly shared: RateLimitStore | null;
  private readonly refused;
  private readonly degraded;
  private pausedUntil = 0;

  constructor(
    @Inject(REDIS) redis: RedisConnection,
    private readonly clock: DatabaseClock,
    metrics: Metrics,
  ) {
    this.shared = redis && new RedisRateLimitStore(redis);
    this.refused = metrics.counter('holdfast_rate_limited_total', 'Requests refused with 429', ['policy']);
    this.degraded = metrics.counter('holdfast_rate_limit_degraded_total', 'Decisions made without Redis');
  }

  /**
   * Counts one request and sets `X-RateLimit-*`, `RateLimit-Policy` and `RateLimit` on the reply.
   *
   * @param policy names the rule to the client and in metrics
   * @param scope what else the count belongs to, for example the source
   * @param ip IPv6 is counted by its /64: one customer, one count
   * @param perMinute 0 for no limit
   * @throws RateLimitedError (429)
   */
  async enforce(policy: string, scope: readonly string[], ip: string, perMinute: number, reply: FastifyReply) {
    if (perMinute === 0) return;
    const rule = { limit: perMinute, windowMs: MINUTE_MS };
    const key = [policy, ...scope, networkOf(ip)].join(':');
    // Without Redis the decision is made at once; awaiting it would cost every request a turn of the event loop.
    const decision = this.shared ? await this.takeShared(this.shared, key, rule) : this.local.take(key, rule);
    const resetAt = new Date(this.clock.now() + decision.resetMs).toISOString();
    describeTo(reply, policy, rule, decision, resetAt);
    if (decision.allowed) return;
    this.refused.inc({ policy });
    throw new RateLimitedError(Math.ceil(decision.retryAfterMs / 1000), resetAt);
  }

  private async takeShared(shared: RateLimitStore, key: string, rule: RateLimit): Promise<RateDecision> {
    if (performance.now() < this.pausedUntil) return this.takeAlone(key, rule);
    try {
      return await shared.take(key, rule);
    } catch (error) {
      this.pausedUntil = performance.now() + REDIS_PAUSE_MS;
      this.logger.warn(`Limits are counted per process while Redis is away: ${(error as Error).message}`);
      return this.takeAlone(key, rule);
    }
  }

  private takeAlone(key: string, rule: RateLimit): RateDecision {
    this.degraded.inc();
    return this.local.take(key, rule);
  }
}

function describeTo(
  reply: FastifyReply,
  policy: string,
  rule: RateLimit,
  decision: RateDecision,
  resetAt: string,
): void {
  const seconds = Math.ceil(decision.resetMs / 1000);
  reply.headers({
    'X-RateLimit-Limit': rule.limit,
    'X-RateLimit-Remaining': decision.remaining,
    'X-RateLimit-Reset': resetAt,
    'RateLimit-Policy': `"${policy}";q=${rule.limit};w=${rule.windowMs / 1000}`,
    RateLimit: `"${policy}";r=${decision.remaining};t=${seconds}`,
  });
}

function networkOf(ip: string): string {
  if (!ip.includes(':')) return ip;
  if (!ipaddr.isValid(ip)) return 'unknown';
  const address = ipaddr.process(ip);
  if (address.kind() === 'ipv4') return address.toString();
  return ipaddr.fromByteArray([...address.toByteArray().slice(0, 8), ...Array<number>(8).fill(0)]).toString();
}

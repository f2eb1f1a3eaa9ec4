import { Inject, Injectable } from '@nestjs/common';
import { hours, minutes, seconds } from '@nestjs/throttler';
import { CONFIG, type Config, RATE_LIMIT_RULES, type RateLimitRuleName } from '../../config/index.js';
import type { Algorithm } from './tier.js';

/** A rule as configured, before keys' own limits and overrides. */
export interface RateLimitRule {
  readonly name: RateLimitRuleName;
  /** Requests in the window; 0 for no limit. */
  readonly limit: number;
  readonly windowMs: number;
  readonly algorithm: Algorithm;
  readonly shadow: boolean;
}

const LIMITS: Record<RateLimitRuleName, (config: Config) => Pick<RateLimitRule, 'limit' | 'windowMs'>> = {
  perSecond: (config) => ({ limit: config.RATE_LIMIT_PER_SECOND, windowMs: seconds(1) }),
  perMinute: (config) => ({ limit: config.RATE_LIMIT_PER_MINUTE, windowMs: minutes(1) }),
  perHour: (config) => ({ limit: config.RATE_LIMIT_PER_HOUR, windowMs: hours(1) }),
  // Off until somebody sets it.
  window: (config) => ({
    limit: config.RATE_LIMIT_MAX_REQUESTS ?? 0,
    windowMs: config.RATE_LIMIT_WINDOW_MS ?? minutes(1),
  }),
  mutations: (config) => ({ limit: config.MUTATION_RATE_LIMIT, windowMs: minutes(1) }),
  payments: (config) => ({ limit: config.PAYMENT_RATE_LIMIT, windowMs: minutes(1) }),
  initialize: (config) => ({ limit: config.INITIALIZE_RATE_LIMIT, windowMs: minutes(1) }),
  verify: (config) => ({ limit: config.VERIFY_RATE_LIMIT, windowMs: minutes(1) }),
  auth: (config) => ({ limit: config.AUTH_RATE_LIMIT, windowMs: minutes(15) }),
  webhooks: (config) => ({ limit: config.WEBHOOK_RATE_LIMIT_PER_MINUTE, windowMs: minutes(1) }),
};

/** For every request with a credential. */
export const DEFAULT_RULES: readonly RateLimitRuleName[] = ['perSecond', 'perMinute', 'perHour', 'window'];
/** Beside them, for methods that change something. */
export const MUTATION_RULES: readonly RateLimitRuleName[] = [...DEFAULT_RULES, 'mutations'];

@Injectable()
export class RateLimitRules {
  constructor(@Inject(CONFIG) private readonly config: Config) {}

  get all(): readonly RateLimitRule[] {
    return RATE_LIMIT_RULES.map((name) => this.get(name));
  }

  get(name: RateLimitRuleName): RateLimitRule {
    return {
      name,
      ...LIMITS[name](this.config),
      algorithm: this.config.RATE_LIMIT_TOKEN_BUCKET.includes(name) ? 'token-bucket' : 'sliding-window',
      shadow: this.config.RATE_LIMIT_SHADOW.includes(name),
    };
  }
}

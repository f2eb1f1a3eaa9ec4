import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config, type RateLimitRuleName } from '../../config/index.js';
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

type Limits = Pick<
  Config,
  | 'RATE_LIMIT_PER_SECOND'
  | 'RATE_LIMIT_PER_MINUTE'
  | 'RATE_LIMIT_PER_HOUR'
  | 'MUTATION_RATE_LIMIT'
  | 'PAYMENT_RATE_LIMIT'
  | 'INITIALIZE_RATE_LIMIT'
  | 'VERIFY_RATE_LIMIT'
  | 'AUTH_RATE_LIMIT'
  | 'WEBHOOK_RATE_LIMIT_PER_MINUTE'
>;

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;

const RULES: Record<RateLimitRuleName, { variable: keyof Limits; windowMs: number }> = {
  perSecond: { variable: 'RATE_LIMIT_PER_SECOND', windowMs: SECOND_MS },
  perMinute: { variable: 'RATE_LIMIT_PER_MINUTE', windowMs: MINUTE_MS },
  perHour: { variable: 'RATE_LIMIT_PER_HOUR', windowMs: 60 * MINUTE_MS },
  mutations: { variable: 'MUTATION_RATE_LIMIT', windowMs: MINUTE_MS },
  payments: { variable: 'PAYMENT_RATE_LIMIT', windowMs: MINUTE_MS },
  initialize: { variable: 'INITIALIZE_RATE_LIMIT', windowMs: MINUTE_MS },
  verify: { variable: 'VERIFY_RATE_LIMIT', windowMs: MINUTE_MS },
  auth: { variable: 'AUTH_RATE_LIMIT', windowMs: 15 * MINUTE_MS },
  webhooks: { variable: 'WEBHOOK_RATE_LIMIT_PER_MINUTE', windowMs: MINUTE_MS },
};

/** For every request with a credential. */
export const DEFAULT_RULES: readonly RateLimitRuleName[] = ['perSecond', 'perMinute', 'perHour'];
/** Beside them, for methods that change something. */
export const MUTATION_RULES: readonly RateLimitRuleName[] = [...DEFAULT_RULES, 'mutations'];

@Injectable()
export class RateLimitRules {
  constructor(
    @Inject(CONFIG) private readonly config: Limits & Pick<Config, 'RATE_LIMIT_SHADOW' | 'RATE_LIMIT_TOKEN_BUCKET'>,
  ) {}

  get(name: RateLimitRuleName): RateLimitRule {
    const { variable, windowMs } = RULES[name];
    return {
      name,
      limit: this.config[variable],
      windowMs,
      algorithm: this.config.RATE_LIMIT_TOKEN_BUCKET.includes(name) ? 'token-bucket' : 'sliding-window',
      shadow: this.config.RATE_LIMIT_SHADOW.includes(name),
    };
  }
}

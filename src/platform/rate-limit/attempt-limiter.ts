import { Injectable } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import type { RateLimitRuleName } from '../../config/index.js';
import { ApplicableTiers } from './applicable-tiers.js';
import { RateLimiter } from './rate-limiter.js';

/** One attempt that was counted. */
export interface Attempt {
  /** It was a good one: it does not count after all. */
  giveBack(): void;
}

const UNCOUNTED: Attempt = { giveBack: () => undefined };

/**
 * Limits what is guessed: an attempt is counted before anybody knows how it ends, so that many at once cannot slip
 * through, and given back when it succeeds.
 */
@Injectable()
export class AttemptLimiter {
  constructor(
    private readonly limiter: RateLimiter,
    private readonly applicable: ApplicableTiers,
  ) {}

  /**
   * @param subject whose attempts are counted together
   * @param told when the headers of limits go out: where the count itself would tell a stranger something, only `refused`
   * @throws RateLimitedError (429), with the headers of limits on the reply
   */
  async take(
    rule: RateLimitRuleName,
    subject: string,
    reply: FastifyReply,
    told: 'always' | 'refused' = 'always',
  ): Promise<Attempt> {
    const set = this.applicable.set([{ name: rule }], subject, undefined);
    if (set === undefined) return UNCOUNTED;
    const decision = await this.limiter.decide(subject, set);
    this.limiter.settle(decision, set, told === 'always' || !decision.allowed ? reply : undefined);
    const charged = { rateLimit: { subject, tiers: decision.charged } };
    return { giveBack: () => this.limiter.refund(charged) };
  }
}

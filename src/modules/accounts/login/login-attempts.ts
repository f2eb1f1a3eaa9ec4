import { Injectable } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import type { EmailAddress } from '../../../kernel/email-address.js';
import { addressSubject, type Attempt, AttemptLimiter } from '../../../platform/rate-limit/index.js';
import { AddressHash } from '../../email-limits/index.js';

const RULE = 'auth';

/**
 * How often a password may be tried: `AUTH_RATE_LIMIT` times in 15 minutes from an address, and as often for an account
 * from everywhere. A network the account's owner came from lately counts for itself: however long strangers try, they
 * cannot lock the owner out.
 */
@Injectable()
export class LoginAttempts {
  constructor(
    private readonly attempts: AttemptLimiter,
    private readonly addresses: AddressHash,
  ) {}

  /** @throws RateLimitedError (429) */
  fromAddress(ip: string, reply: FastifyReply): Promise<Attempt> {
    return this.attempts.take(RULE, addressSubject(ip), reply);
  }

  /**
   * Counts alike for an address that has no account.
   *
   * @param familiarNetwork where the owner came from lately, when the attempt comes from there
   * @throws RateLimitedError (429)
   */
  onAccount(email: EmailAddress, familiarNetwork: string | undefined, reply: FastifyReply): Promise<Attempt> {
    const account = `login:${this.addresses.of(email).toString('base64url')}`;
    return this.attempts.take(RULE, familiarNetwork === undefined ? account : `${account}:${familiarNetwork}`, reply);
  }
}

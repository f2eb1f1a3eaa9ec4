import { Injectable } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import type { EmailAddress } from '../../kernel/email-address.js';
import { EmailHash } from '../../platform/encryption/index.js';
import { addressSubject, type Attempt, AttemptLimiter, networkOf } from '../../platform/rate-limit/index.js';

const RULE = 'auth';

/**
 * How often a password may be tried: `AUTH_RATE_LIMIT` times in 15 minutes from an IP address, and as often for an account
 * from everywhere. A network the account's owner came from lately counts for itself: however long strangers try, they
 * cannot lock the owner out.
 */
@Injectable()
export class LoginAttempts {
  constructor(
    private readonly attempts: AttemptLimiter,
    private readonly hashes: EmailHash,
  ) {}

  /**
   * Counts one attempt, alike for an e-mail address that has no account.
   *
   * @param familiar whether the account's owner came from this network lately
   * @throws RateLimitedError (429), and nothing is counted
   */
  async take(email: EmailAddress, ip: string, familiar: boolean, reply: FastifyReply): Promise<Attempt> {
    const fromIp = await this.attempts.take(RULE, addressSubject(ip), reply);
    const account = `login:${this.hashes.of(email).toString('base64url')}`;
    try {
      const subject = familiar ? `${account}:${networkOf(ip)}` : account;
      // How often others tried is nobody's business: only a refusal is told.
      const onAccount = await this.attempts.take(RULE, subject, reply, 'refused');
      return {
        giveBack: () => {
          fromIp.giveBack();
          onAccount.giveBack();
        },
      };
    } catch (error) {
      fromIp.giveBack();
      throw error;
    }
  }
}

import { Injectable, type OnModuleInit } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { EmailAddress } from '../../../kernel/email-address.js';
import type { RequestContext } from '../../../platform/auth/index.js';
import { type Job, Jobs } from '../../../platform/jobs/index.js';
import { RateLimitedError } from '../../../platform/rate-limit/index.js';
import { READ_COMMITTED, Transactor } from '../../../platform/transaction/index.js';
import { EmailLimiter } from '../../email-limits/index.js';
import { PasswordHasher } from '../passwords/password-hasher.js';
import { PasswordResetService } from '../password-reset/password-reset.service.js';
import { RegistrationService } from '../registration/registration.service.js';
import { type MailRequest, mailRequestOf, payloadOf } from './mail-request.js';

const JOB = 'accounts.mail-request';

/**
 * Takes the requests whose answer must not tell whether an address has an account. Until the answer nothing is looked up:
 * the request is stored (a registration as such, its mail as a job) and counted against the limit of the address, in one
 * transaction that is the same for every address. What comes of it is found out behind the answer.
 */
@Injectable()
export class MailRequests implements OnModuleInit {
  constructor(
    private readonly registration: RegistrationService,
    private readonly passwordReset: PasswordResetService,
    private readonly hasher: PasswordHasher,
    private readonly limiter: EmailLimiter,
    private readonly jobs: Jobs,
    private readonly transactor: Transactor,
  ) {}

  onModuleInit(): void {
    // One after the other: somebody who registers and asks for another mail at once did it in this order.
    this.jobs.handleInTransaction(JOB, (tx, job) => this.carryOut(tx, job), { concurrency: 1 });
  }

  /**
   * What is limited are mails. A registration counts even when its mail is refused: else strangers could use up the limit of
   * an address and have theirs be the only one.
   *
   * @throws RateLimitedError (429), UnavailableError (503)
   */
  async register(email: EmailAddress, password: string, context: RequestContext): Promise<void> {
    const passwordHash = await this.hasher.hashFor(email, password);
    const refusal = await this.transactor.run(async (tx) => {
      const token = await this.registration.store(tx, email, passwordHash);
      return this.takeAndEnqueue(tx, { wish: 'register', email, token, context }).catch(asRefusal);
    }, READ_COMMITTED);
    if (refusal) throw refusal;
  }

  /** @throws RateLimitedError (429) */
  resendVerification(email: EmailAddress, context: RequestContext): Promise<void> {
    return this.accept({ wish: 'resend-verification', email, context });
  }

  /** @throws RateLimitedError (429) */
  forgotPassword(email: EmailAddress, context: RequestContext): Promise<void> {
    return this.accept({ wish: 'forgot-password', email, context });
  }

  private accept(request: MailRequest): Promise<void> {
    return this.transactor.run((tx) => this.takeAndEnqueue(tx, request), READ_COMMITTED);
  }

  private async takeAndEnqueue(tx: EntityManager, request: MailRequest): Promise<void> {
    const limit = request.wish === 'forgot-password' ? 'password-reset' : 'verification';
    await this.limiter.take(tx, limit, request.email);
    await this.jobs.enqueue(tx, [{ kind: JOB, payload: payloadOf(request) }]);
  }

  private async carryOut(tx: EntityManager, job: Job): Promise<void> {
    const request = mailRequestOf(job);
    const { email, context } = request;
    switch (request.wish) {
      case 'register':
        return this.registration.begin(tx, email, request.token, context);
      case 'resend-verification':
        return this.registration.mailAgain(tx, email);
      case 'forgot-password':
        // Who has not proved the address yet needs that first.
        if (await this.passwordReset.begin(tx, email, context)) return;
        return this.registration.mailWithoutPassword(tx, email);
    }
  }
}

/** A refusal of the limiter leaves the transaction as it is. @throws whatever else it is */
function asRefusal(error: unknown): RateLimitedError {
  if (error instanceof RateLimitedError) return error;
  throw error;
}

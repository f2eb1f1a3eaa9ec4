import { Injectable, type OnModuleInit } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { EmailAddress } from '../../../kernel/email-address.js';
import type { RequestContext } from '../../../platform/auth/index.js';
import { type Job, Jobs } from '../../../platform/jobs/index.js';
import { READ_COMMITTED, Transactor } from '../../../platform/transaction/index.js';
import { EmailLimiter } from '../../email-limits/index.js';
import { PasswordHasher } from '../passwords/password-hasher.js';
import { PasswordResetService } from '../password-reset/password-reset.service.js';
import { RegistrationService } from '../registration/registration.service.js';
import { type MailRequest, mailRequestOf, payloadOf } from './mail-request.js';

const JOB = 'accounts.mail-request';

/**
 * Takes the requests whose answer must not tell whether an address has an account. Until the answer nothing is looked up:
 * the request is counted against the limit of the address and stored as a job, in one transaction that is the same for
 * every address. What comes of it is found out behind the answer.
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

  /** @throws RateLimitedError (429), UnavailableError (503) */
  async register(email: EmailAddress, password: string, context: RequestContext): Promise<void> {
    const passwordHash = await this.hasher.hashFor(email, password);
    await this.accept({ wish: 'register', email, passwordHash, context });
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
    const limit = request.wish === 'forgot-password' ? 'password-reset' : 'verification';
    return this.transactor.run(async (tx) => {
      await this.limiter.take(tx, limit, request.email);
      await this.jobs.enqueue(tx, [{ kind: JOB, payload: payloadOf(request) }]);
    }, READ_COMMITTED);
  }

  private async carryOut(tx: EntityManager, job: Job): Promise<void> {
    const request = mailRequestOf(job);
    const { email, context } = request;
    switch (request.wish) {
      case 'register':
        return this.registration.begin(tx, email, request.passwordHash, context);
      case 'resend-verification':
        await this.registration.mailAgain(tx, email);
        return;
      case 'forgot-password':
        // Who has not proved the address yet needs that first.
        if (!(await this.passwordReset.begin(tx, email, context))) await this.registration.mailAgain(tx, email);
    }
  }
}

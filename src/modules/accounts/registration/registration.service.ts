import { Injectable, type OnModuleInit } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { EmailAddress } from '../../../kernel/email-address.js';
import { newId } from '../../../kernel/ids.js';
import type { RequestContext } from '../../../platform/auth/index.js';
import { type Job, Jobs } from '../../../platform/jobs/index.js';
import { MailOutbox } from '../../../platform/mail/index.js';
import { Transactor } from '../../../platform/transaction/index.js';
import { AuditLog } from '../../audit/index.js';
import type { EmailLimitReading } from '../../email-limits/index.js';
import { AccountLinks } from '../account-links.js';
import { MailTokenInvalidError } from '../mail-token-invalid.error.js';
import { MAIL_TOKEN_LIFETIME_MS, MailTokens } from '../mail-tokens/mail-tokens.js';
import { alreadyRegisteredMail, verificationMail } from '../mails/account-mails.js';
import { PasswordHasher } from '../passwords/password-hasher.js';
import { UsersRepository } from '../users/users.repository.js';
import { mailRequestOf } from './mail-request-job.js';
import { MailRequests } from './mail-requests.js';

const REGISTER = 'accounts.register';
const RESEND = 'accounts.resend-verification';
const PURPOSE = 'verify-email';

/** Rows are locked where two may meet. */
const ISOLATION = { isolation: 'READ COMMITTED' } as const;

/** From an address and a password to an account that somebody may log in to. */
@Injectable()
export class RegistrationService implements OnModuleInit {
  constructor(
    private readonly requests: MailRequests,
    private readonly hasher: PasswordHasher,
    private readonly jobs: Jobs,
    private readonly users: UsersRepository,
    private readonly tokens: MailTokens,
    private readonly links: AccountLinks,
    private readonly outbox: MailOutbox,
    private readonly transactor: Transactor,
    private readonly audit: AuditLog,
  ) {}

  onModuleInit(): void {
    this.jobs.handleInTransaction(REGISTER, (tx, job) => this.carryOut(tx, job));
    this.jobs.handleInTransaction(RESEND, (tx, job) => this.mailAgain(tx, job));
  }

  /** The same for an address that has an account. @throws EmailLimitedError (429), UnavailableError (503) */
  async register(email: EmailAddress, password: string, context: RequestContext): Promise<EmailLimitReading> {
    const passwordHash = await this.hasher.hash(password);
    return this.requests.accept('verification', REGISTER, { email, context, passwordHash });
  }

  /** The same for an address nobody registered. @throws EmailLimitedError (429) */
  resend(email: EmailAddress, context: RequestContext): Promise<EmailLimitReading> {
    return this.requests.accept('verification', RESEND, { email, context });
  }

  /** @throws MailTokenInvalidError (400) */
  async verify(token: string, context: RequestContext): Promise<void> {
    const verified = await this.transactor.run(async (tx) => {
      const userId = await this.tokens.use(tx, token, PURPOSE);
      if (userId === undefined) return false;
      await this.tokens.withdraw(tx, userId, PURPOSE);
      await this.users.verify(tx, userId);
      await this.record(tx, 'user.email_verified', userId, context);
      return true;
    }, ISOLATION);
    if (!verified) throw new MailTokenInvalidError();
  }

  private async carryOut(tx: EntityManager, job: Job): Promise<void> {
    const { email, passwordHash, context } = mailRequestOf(job);
    if (passwordHash === undefined) throw new TypeError('The job of a registration holds no password');
    const userId = await this.users.register(tx, newId(), email, passwordHash);
    if (userId === undefined) return this.outbox.send(tx, [alreadyRegisteredMail(email)]);
    // Mails of an earlier registration would let somebody in with a password that is gone.
    await this.tokens.withdraw(tx, userId, PURPOSE);
    await this.mailToken(tx, userId, email);
    await this.record(tx, 'user.registered', userId, context);
  }

  private async mailAgain(tx: EntityManager, job: Job): Promise<void> {
    const { email } = mailRequestOf(job);
    const user = await this.users.findByEmail(tx, email);
    if (user && !user.verified) await this.mailToken(tx, user.id, email);
  }

  private async mailToken(tx: EntityManager, userId: string, email: EmailAddress): Promise<void> {
    const link = this.links.to(PURPOSE, await this.tokens.issue(tx, userId, PURPOSE));
    await this.outbox.send(tx, [verificationMail(email, link)], { expiresInMs: MAIL_TOKEN_LIFETIME_MS[PURPOSE] });
  }

  private record(tx: EntityManager, action: string, userId: string, context: RequestContext): Promise<void> {
    return this.audit.record(tx, [{ ...context, action, subject: `user:${userId}` }]);
  }
}

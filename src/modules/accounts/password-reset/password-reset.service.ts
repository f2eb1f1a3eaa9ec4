import { Injectable, type OnModuleInit } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { EmailAddress } from '../../../kernel/email-address.js';
import type { RequestContext } from '../../../platform/auth/index.js';
import { type Job, Jobs } from '../../../platform/jobs/index.js';
import { MailOutbox } from '../../../platform/mail/index.js';
import { networkOf } from '../../../platform/rate-limit/index.js';
import { Transactor } from '../../../platform/transaction/index.js';
import { AuditLog } from '../../audit/index.js';
import type { EmailLimitReading } from '../../email-limits/index.js';
import { AccountLinks } from '../account-links.js';
import { MailTokenInvalidError } from '../mail-token-invalid.error.js';
import { MAIL_TOKEN_LIFETIME_MS, MailTokens } from '../mail-tokens/mail-tokens.js';
import { passwordChangedMail, passwordResetMail } from '../mails/account-mails.js';
import { PasswordHasher } from '../passwords/password-hasher.js';
import { mailRequestOf } from '../registration/mail-request-job.js';
import { MailRequests } from '../registration/mail-requests.js';
import { SessionsRepository } from '../sessions/sessions.repository.js';
import { UsersRepository } from '../users/users.repository.js';

const FORGOT = 'accounts.forgot-password';
const PURPOSE = 'reset-password';

/** Rows are locked where two may meet. */
const ISOLATION = { isolation: 'READ COMMITTED' } as const;

/** A new password for whoever reads the mail of the account. */
@Injectable()
export class PasswordResetService implements OnModuleInit {
  constructor(
    private readonly requests: MailRequests,
    private readonly hasher: PasswordHasher,
    private readonly jobs: Jobs,
    private readonly users: UsersRepository,
    private readonly sessions: SessionsRepository,
    private readonly tokens: MailTokens,
    private readonly links: AccountLinks,
    private readonly outbox: MailOutbox,
    private readonly transactor: Transactor,
    private readonly audit: AuditLog,
  ) {}

  onModuleInit(): void {
    this.jobs.handleInTransaction(FORGOT, (tx, job) => this.mailToken(tx, job));
  }

  /** The same for an address nobody registered. @throws EmailLimitedError (429) */
  forgot(email: EmailAddress, context: RequestContext): Promise<EmailLimitReading> {
    return this.requests.accept('password-reset', FORGOT, { email, context });
  }

  /**
   * Sets the password, ends every session of the account, and tells its owner. Logging in from here works at once, however
   * often others have tried.
   *
   * @throws MailTokenInvalidError (400), UnavailableError (503)
   */
  async reset(token: string, password: string, context: RequestContext): Promise<void> {
    // Nobody makes us hash passwords with tokens that are made up.
    if (!(await this.tokens.isGood(token, PURPOSE))) throw new MailTokenInvalidError();
    const passwordHash = await this.hasher.hash(password);
    const isReset = await this.transactor.run(async (tx) => {
      const userId = await this.tokens.use(tx, token, PURPOSE);
      if (userId === undefined) return false;
      await this.setPassword(tx, userId, passwordHash, context);
      return true;
    }, ISOLATION);
    if (!isReset) throw new MailTokenInvalidError();
  }

  private async setPassword(
    tx: EntityManager,
    userId: string,
    passwordHash: string,
    context: RequestContext,
  ): Promise<void> {
    const email = await this.users.setPassword(tx, userId, passwordHash, networkOf(context.ip ?? ''));
    if (email === undefined) return;
    await this.tokens.withdraw(tx, userId, PURPOSE);
    await this.tokens.withdraw(tx, userId, 'verify-email');
    const ended = await this.sessions.revokeAll(tx, userId);
    await this.outbox.send(tx, [passwordChangedMail(email)]);
    await this.record(tx, 'user.password_reset', userId, context, { sessionsEnded: ended });
  }

  private async mailToken(tx: EntityManager, job: Job): Promise<void> {
    const { email, context } = mailRequestOf(job);
    const user = await this.users.findByEmail(tx, email);
    if (!user) return;
    const link = this.links.to(PURPOSE, await this.tokens.issue(tx, user.id, PURPOSE));
    await this.outbox.send(tx, [passwordResetMail(email, link)], { expiresInMs: MAIL_TOKEN_LIFETIME_MS[PURPOSE] });
    await this.record(tx, 'user.password_forgotten', user.id, context);
  }

  private record(
    tx: EntityManager,
    action: string,
    userId: string,
    context: RequestContext,
    details: Record<string, unknown> = {},
  ): Promise<void> {
    return this.audit.record(tx, [{ ...context, action, subject: `user:${userId}`, details }]);
  }
}

import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { EmailAddress } from '../../../kernel/email-address.js';
import type { RequestContext } from '../../../platform/auth/index.js';
import { MailOutbox } from '../../../platform/mail/index.js';
import { networkOf } from '../../../platform/rate-limit/index.js';
import { READ_COMMITTED, Transactor } from '../../../platform/transaction/index.js';
import { AuditLog } from '../../audit/index.js';
import { AccountLinks, LINK_HOURS } from '../mails/account-links.js';
import { passwordChangedMail } from '../mails/account-mails.js';
import { MailTokenInvalidError } from '../mails/mail-token-invalid.error.js';
import { PasswordHasher } from '../passwords/password-hasher.js';
import { newSecretToken, secretTokenHash } from '../secret-token.js';
import { SessionsRepository } from '../sessions/sessions.repository.js';
import { userLine } from '../users/user-line.js';
import { UsersRepository } from '../users/users.repository.js';
import { ResetTokensRepository } from './reset-tokens.repository.js';

/** A new password for whoever reads the mail of the account. */
@Injectable()
export class PasswordResetService {
  constructor(
    private readonly tokens: ResetTokensRepository,
    private readonly users: UsersRepository,
    private readonly sessions: SessionsRepository,
    private readonly hasher: PasswordHasher,
    private readonly links: AccountLinks,
    private readonly outbox: MailOutbox,
    private readonly transactor: Transactor,
    private readonly audit: AuditLog,
  ) {}

  /** Mails a link, if the address has an account. @returns whether it has */
  async begin(tx: EntityManager, email: EmailAddress, context: RequestContext): Promise<boolean> {
    const user = await this.users.findByEmail(tx, email);
    if (!user) return false;
    await this.mailLink(tx, user.id, email);
    await this.audit.record(tx, [userLine(context, 'user.password_forgotten', user.id)]);
    return true;
  }

  async mailLink(tx: EntityManager, userId: string, email: EmailAddress): Promise<void> {
    const { token, hash } = newSecretToken('hfm');
    await this.tokens.add(tx, hash, userId, LINK_HOURS['password-reset']);
    await this.links.send(tx, email, 'password-reset', token);
  }

  /**
   * Sets the password, ends every session of the account, and tells its owner. Logging in from here works at once, however
   * often others have tried.
   *
   * @throws MailTokenInvalidError (400), UnavailableError (503)
   */
  async reset(token: string, password: string, context: RequestContext): Promise<void> {
    const tokenHash = secretTokenHash(token);
    // Nobody makes us hash passwords with tokens that are made up.
    if (!tokenHash || !(await this.tokens.isGood(tokenHash))) throw new MailTokenInvalidError();
    const passwordHash = await this.hasher.hash(password);
    const isReset = await this.transactor.run(async (tx) => {
      const userId = await this.tokens.take(tx, tokenHash);
      if (userId === undefined) return false;
      await this.setPassword(tx, userId, passwordHash, context);
      return true;
    }, READ_COMMITTED);
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
    await this.tokens.withdraw(tx, userId);
    const ended = await this.sessions.revokeAll(tx, userId);
    await this.outbox.send(tx, [passwordChangedMail(email)]);
    await this.audit.record(tx, [userLine(context, 'user.password_reset', userId, { sessionsEnded: ended })]);
  }
}

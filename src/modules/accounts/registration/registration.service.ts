import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { EmailAddress } from '../../../kernel/email-address.js';
import { newId } from '../../../kernel/ids.js';
import type { RequestContext } from '../../../platform/auth/index.js';
import { EmailHash } from '../../../platform/encryption/index.js';
import { MailOutbox } from '../../../platform/mail/index.js';
import { READ_COMMITTED, Transactor } from '../../../platform/transaction/index.js';
import { AuditLog } from '../../audit/index.js';
import { AccountLinks, LINK_HOURS } from '../mails/account-links.js';
import { alreadyRegisteredMail } from '../mails/account-mails.js';
import { MailTokenInvalidError } from '../mails/mail-token-invalid.error.js';
import { PasswordResetService } from '../password-reset/password-reset.service.js';
import { newSecretToken, secretTokenHash } from '../secret-token.js';
import { userLine } from '../users/user-line.js';
import { UsersRepository } from '../users/users.repository.js';
import { RegistrationsRepository } from './registrations.repository.js';

/** From an address and a password to an account, by way of the mailbox. */
@Injectable()
export class RegistrationService {
  constructor(
    private readonly registrations: RegistrationsRepository,
    private readonly users: UsersRepository,
    private readonly passwordReset: PasswordResetService,
    private readonly links: AccountLinks,
    private readonly outbox: MailOutbox,
    private readonly transactor: Transactor,
    private readonly audit: AuditLog,
    private readonly hashes: EmailHash,
  ) {}

  /**
   * Stores the registration, whoever has the address, and in the transaction that answers: from then on it counts against
   * every other one, whether or not its own link is ever mailed.
   *
   * @returns the token of its link
   */
  async store(tx: EntityManager, email: EmailAddress, passwordHash: string): Promise<string> {
    const { token, hash } = newSecretToken('hfm');
    await this.registrations.add(tx, hash, email, passwordHash, LINK_HOURS.verification);
    return token;
  }

  /** Mails the link of a stored registration; the owner of an account is told that there is one. */
  async begin(tx: EntityManager, email: EmailAddress, token: string, context: RequestContext): Promise<void> {
    const user = await this.users.findByEmail(tx, email);
    if (user) {
      await this.registrations.forget(tx, email);
      return this.outbox.send(tx, [alreadyRegisteredMail(email)]);
    }
    await this.links.send(tx, email, 'verification', token);
    const subject = this.hashes.subjectOf(email);
    await this.audit.record(tx, [{ ...context, action: 'registration.requested', subject }]);
  }

  /** Another link for a registration that waits for its proof. */
  async mailAgain(tx: EntityManager, email: EmailAddress): Promise<void> {
    const latest = await this.registrations.latest(tx, email);
    if (latest) await this.mailLink(tx, email, latest.passwordHash);
  }

  /** A link for somebody who does not know the password: it proves the address, and brings none. */
  async mailWithoutPassword(tx: EntityManager, email: EmailAddress): Promise<void> {
    if (await this.registrations.latest(tx, email)) await this.mailLink(tx, email, null);
  }

  /**
   * Makes the account. When others registered the same address with other passwords, the reader of the mail may have
   * opened a link that a stranger caused: none of the passwords counts, and the reader is mailed a link to set one.
   *
   * @returns whether a password has to be set
   * @throws MailTokenInvalidError (400)
   */
  async verify(token: string, context: RequestContext): Promise<{ passwordNeeded: boolean }> {
    const tokenHash = secretTokenHash(token);
    const made =
      tokenHash && (await this.transactor.run((tx) => this.makeAccount(tx, tokenHash, context), READ_COMMITTED));
    if (!made) throw new MailTokenInvalidError();
    return made;
  }

  private async makeAccount(
    tx: EntityManager,
    tokenHash: Buffer,
    context: RequestContext,
  ): Promise<{ passwordNeeded: boolean } | undefined> {
    const proved = await this.registrations.take(tx, tokenHash);
    if (!proved) return undefined;
    const { email, passwordHash } = proved;
    const passwordNeeded = passwordHash === null;
    const userId = await this.users.insert(tx, newId(), email, passwordHash);
    if (userId === undefined) return undefined;
    await this.audit.record(tx, [userLine(context, 'user.registered', userId, { passwordNeeded })]);
    if (passwordNeeded) await this.passwordReset.mailLink(tx, userId, email);
    return { passwordNeeded };
  }

  private async mailLink(tx: EntityManager, email: EmailAddress, passwordHash: string | null): Promise<void> {
    const { token, hash } = newSecretToken('hfm');
    await this.registrations.add(tx, hash, email, passwordHash, LINK_HOURS.verification);
    await this.links.send(tx, email, 'verification', token);
  }
}

import { Inject, Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { CONFIG, type Config } from '../../../config/index.js';
import type { EmailAddress } from '../../../kernel/email-address.js';
import { type Mail, MailOutbox } from '../../../platform/mail/index.js';
import type { EmailLimitKind } from '../../email-limits/index.js';
import { passwordResetMail, verificationMail } from './account-mails.js';

/** What a mailed link is for; asking for one is limited under the same words. */
export type LinkPurpose = EmailLimitKind;

/** For how long a link works. */
export const LINK_HOURS: Readonly<Record<LinkPurpose, number>> = { verification: 24, 'password-reset': 1 };

const HOUR_MS = 3_600_000;

/** The page of each link, and the mail around it. */
const LINKS: Readonly<
  Record<LinkPurpose, { page: string; mail: (to: EmailAddress, link: string, hours: number) => Mail }>
> = {
  verification: { page: 'verify-email', mail: verificationMail },
  'password-reset': { page: 'reset-password', mail: passwordResetMail },
};

/** Mails with a link that works once. It leads to our own pages, or to those of the team's product under the same paths. */
@Injectable()
export class AccountLinks {
  private readonly base: string;

  constructor(
    @Inject(CONFIG) config: Pick<Config, 'ACCOUNT_PAGES_URL' | 'PUBLIC_URL' | 'HOST' | 'PORT'>,
    private readonly outbox: MailOutbox,
  ) {
    const base = config.ACCOUNT_PAGES_URL ?? config.PUBLIC_URL ?? `http://${config.HOST}:${config.PORT}`;
    this.base = base.replace(/\/+$/, '');
  }

  /** The token is in the fragment, which browsers send to nobody: no log, proxy or referrer ever has it. */
  async send(tx: EntityManager, to: EmailAddress, purpose: LinkPurpose, token: string): Promise<void> {
    const { page, mail } = LINKS[purpose];
    const hours = LINK_HOURS[purpose];
    const message = mail(to, `${this.base}/${page}#token=${token}`, hours);
    await this.outbox.send(tx, [message], { expiresInMs: hours * HOUR_MS });
  }
}

import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '../../config/index.js';
import type { MailTokenPurpose } from './mail-tokens/mail-token.entity.js';

/** Where mailed links lead: our own pages, or those of the team's product under the same paths. */
@Injectable()
export class AccountLinks {
  private readonly base: string;

  constructor(@Inject(CONFIG) config: Pick<Config, 'ACCOUNT_PAGES_URL' | 'PUBLIC_URL' | 'HOST' | 'PORT'>) {
    const base = config.ACCOUNT_PAGES_URL ?? config.PUBLIC_URL ?? `http://${config.HOST}:${config.PORT}`;
    this.base = base.replace(/\/+$/, '');
  }

  /** The token is in the fragment, which browsers send to nobody: no log, proxy or referrer ever has it. */
  to(purpose: MailTokenPurpose, token: string): string {
    return `${this.base}/${purpose}#token=${token}`;
  }
}

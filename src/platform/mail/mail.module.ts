import { join } from 'node:path';
import { Global, Module } from '@nestjs/common';
import { CONFIG, type Config } from '../../config/index.js';
import { FileMailer } from './adapters/file-mailer.js';
import { SmtpMailer } from './adapters/smtp-mailer.js';
import { MailOutbox } from './mail-outbox.js';
import { MAIL_PATIENCE, MAIL_PATIENCE_OF_PRODUCTION, type MailPatience } from './mail-patience.js';
import { MailSender } from './mail-sender.js';
import { MAILER, type Mailer } from './mailer.js';
import { senderOf } from './sender.js';

/** Mail that leaves when its transaction has committed; see docs/mail.md. */
@Global()
@Module({
  providers: [
    { provide: MAIL_PATIENCE, useValue: MAIL_PATIENCE_OF_PRODUCTION },
    {
      provide: MAILER,
      inject: [CONFIG, MAIL_PATIENCE],
      useFactory: (config: Config, { silence }: MailPatience): Mailer =>
        config.SMTP_URL === undefined
          ? new FileMailer(join(config.dataDir, 'mail'), senderOf(config), !config.isProduction)
          : new SmtpMailer(config.SMTP_URL, senderOf(config), silence),
    },
    MailOutbox,
    MailSender,
  ],
  exports: [MailOutbox],
})
export class MailModule {}

import { join } from 'node:path';
import { Module } from '@nestjs/common';
import { CONFIG, type Config } from '../../config/index.js';
import { JobsModule } from '../jobs/index.js';
import { FileMailer } from './adapters/file-mailer.js';
import { SmtpMailer } from './adapters/smtp-mailer.js';
import { MailDelivery } from './mail-delivery.js';
import { MailOutbox } from './mail-outbox.js';
import { MAIL_TIMINGS, MAIL_TIMINGS_OF_PRODUCTION, type MailTimings } from './mail-timings.js';
import { MAILER, type Mailer } from './mailer.js';

/** Mail that leaves when its transaction has committed; see docs/mail.md. */
@Module({
  imports: [JobsModule],
  providers: [
    { provide: MAIL_TIMINGS, useValue: MAIL_TIMINGS_OF_PRODUCTION },
    {
      provide: MAILER,
      inject: [CONFIG, MAIL_TIMINGS],
      useFactory: (config: Config, { silence }: MailTimings): Mailer =>
        config.SMTP_URL === undefined
          ? new FileMailer(join(config.dataDir, 'mail'), config.MAIL_FROM, config.isProduction)
          : new SmtpMailer(config.SMTP_URL, config.MAIL_FROM, silence),
    },
    MailDelivery,
    MailOutbox,
  ],
  exports: [MailOutbox],
})
export class MailModule {}

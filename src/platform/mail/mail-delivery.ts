import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { CONFIG, type Config } from '../../config/index.js';
import { type Job, JobGivenUpError, Jobs } from '../jobs/index.js';
import { Metrics } from '../metrics/index.js';
import { SMTP_CONNECTIONS } from './adapters/smtp-mailer.js';
import { MAIL_JOB, mailOf } from './mail-job.js';
import { MAIL_TIMINGS, type MailTimings } from './mail-timings.js';
import { MAILER, type Mailer, MailRefusedError } from './mailer.js';

/** Carries out the jobs of the outbox. */
@Injectable()
export class MailDelivery implements OnModuleInit {
  private readonly mails;
  private readonly domain: string;

  constructor(
    private readonly jobs: Jobs,
    @Inject(MAILER) private readonly mailer: Mailer,
    @Inject(MAIL_TIMINGS) private readonly timings: MailTimings,
    @Inject(CONFIG) { MAIL_FROM }: Pick<Config, 'MAIL_FROM'>,
    metrics: Metrics,
  ) {
    this.mails = metrics.counter('holdfast_mails_total', 'Attempts to send mail by how they ended', [
      'kind',
      'outcome',
    ]);
    this.domain = MAIL_FROM.address.split('@').slice(1).join();
  }

  onModuleInit(): void {
    this.jobs.handle(MAIL_JOB, (job) => this.send(job), {
      // Until it expires.
      maxAttempts: Infinity,
      backoff: this.timings.backoff,
      timeoutMs: this.timings.attempt,
      concurrency: SMTP_CONNECTIONS,
    });
  }

  private async send({ id, payload, signal }: Job): Promise<void> {
    const mail = mailOf(payload);
    try {
      await this.mailer.deliver(mail, `<${id}@${this.domain}>`, signal);
    } catch (error) {
      const refused = error instanceof MailRefusedError;
      this.mails.inc({ kind: mail.kind, outcome: refused ? 'refused' : 'failed' });
      if (refused) throw new JobGivenUpError(error.message, { cause: error });
      throw error;
    }
    this.mails.inc({ kind: mail.kind, outcome: 'sent' });
  }
}

import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Jobs } from '../jobs/index.js';
import type { Mail } from './mail.js';
import { mailJob } from './mail-job.js';

export interface SendOptions {
  /** When the mail is of no use any more: given up if it was not taken by then. Default a day. */
  readonly expiresInMs?: number;
}

/** Mail that is sent if and only if the transaction that asks for it commits; see docs/mail.md. */
@Injectable()
export class MailOutbox {
  constructor(private readonly jobs: Jobs) {}

  /**
   * Never waits for a mail server.
   *
   * @throws RangeError when `kind` is no word
   */
  async send(tx: EntityManager, mails: readonly Mail[], options: SendOptions = {}): Promise<void> {
    await this.jobs.enqueue(
      tx,
      mails.map((mail) => mailJob(mail, options.expiresInMs)),
    );
  }
}

import { Logger, type OnModuleInit } from '@nestjs/common';
import { randomUUID } from 'node:crypto';
import { chmod, mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createTransport } from 'nodemailer';
import type { Mailbox } from '../../../kernel/mailbox.js';
import { PlainLine } from '../../logging/index.js';
import type { Mail } from '../mail.js';
import type { Mailer } from '../mailer.js';
import { messageOf } from './message.js';

/** For where there is no SMTP server: each mail a file that any mail program opens. */
export class FileMailer implements Mailer, OnModuleInit {
  private readonly logger = new Logger('Mail');
  private readonly transport = createTransport({ streamTransport: true, buffer: true });

  /**
   * @param folder made when it is not there; for its owner only, as are the files
   * @param isProduction where the log does not say what the reader of a mail is to open, but at start that nobody is sent any
   */
  constructor(
    private readonly folder: string,
    private readonly from: Mailbox,
    private readonly isProduction: boolean,
  ) {}

  onModuleInit(): void {
    if (!this.isProduction) return;
    this.logger.warn({ msg: 'SMTP_URL is not set: mails are only written to files', folder: this.folder });
  }

  async deliver(mail: Mail, messageId: string, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    const { message } = await this.transport.sendMail(messageOf(mail, messageId, this.from));
    await mkdir(this.folder, { recursive: true, mode: 0o700 });
    await chmod(this.folder, 0o700);
    const time = new Date().toISOString().replaceAll(/[-:.]/g, '');
    const file = join(this.folder, `${time}-${mail.kind}-${localPartOf(messageId)}.eml`);
    // Never seen half written.
    const draft = `${file}.${randomUUID()}`;
    await writeFile(draft, message, { mode: 0o600, flag: 'wx' });
    await rename(draft, file);
    this.logger.log(
      new PlainLine({
        msg: 'Mail written to a file; set SMTP_URL to send it',
        file,
        kind: mail.kind,
        ...(!this.isProduction && mail.link !== undefined && { link: mail.link }),
      }),
    );
  }
}

/** Ours is the id of the job. */
function localPartOf(messageId: string): string {
  return messageId
    .split('@', 1)
    .join('')
    .replaceAll(/[^\w-]/g, '');
}

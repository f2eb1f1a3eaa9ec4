import type { OnApplicationShutdown } from '@nestjs/common';
import { createTransport, type NodemailerError } from 'nodemailer';
import type { Mailbox } from '../../../kernel/mailbox.js';
import { type Mailer, MailRefusedError } from '../mailer.js';
import type { Mail } from '../mail.js';
import { messageOf } from './message.js';

/** Connections; each is used for many mails, one after the other. */
export const SMTP_CONNECTIONS = 4;

/** Answers about who we are rather than about the mail (RFC 4954, section 6): the operator mends them, and it goes out. */
const ABOUT_US = new Set([530, 534, 535, 538]);

/** Sends through the server that `SMTP_URL` names; TLS and credentials as the URL says. */
export class SmtpMailer implements Mailer, OnApplicationShutdown {
  private readonly transport;

  /** @param silence milliseconds the server may take over each step */
  constructor(
    url: string,
    private readonly from: Mailbox,
    silence: number,
  ) {
    this.transport = createTransport({
      url,
      pool: true,
      maxConnections: SMTP_CONNECTIONS,
      // The queue tries again. Once, because the server may have closed a connection that was idle.
      maxRequeues: 1,
      dnsTimeout: silence,
      connectionTimeout: silence,
      greetingTimeout: silence,
      socketTimeout: silence,
    });
  }

  async deliver(mail: Mail, messageId: string, signal?: AbortSignal): Promise<void> {
    try {
      await this.transport.sendMail({ ...messageOf(mail, messageId, this.from), ...(signal && { signal }) });
    } catch (error) {
      if (isRefusal(error)) throw new MailRefusedError(error.message, { cause: error });
      throw error;
    }
  }

  onApplicationShutdown(): void {
    this.transport.close();
  }
}

/** A 5xx to the envelope or the message (RFC 5321, section 4.2.1); at any other step it is not about this mail. */
function isRefusal(error: unknown): error is NodemailerError {
  if (!(error instanceof Error) || !('responseCode' in error) || !('code' in error)) return false;
  const { code, responseCode } = error;
  if (typeof responseCode !== 'number' || responseCode < 500 || ABOUT_US.has(responseCode)) return false;
  return code === 'EENVELOPE' || code === 'EMESSAGE';
}

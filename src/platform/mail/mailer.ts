import type { Mail } from './mail.js';

/**
 * Port: hands one mail to whatever carries it on. Adapters: an SMTP server, and files for where there is none; both pass
 * `mailer.contract.ts`.
 */
export interface Mailer {
  /**
   * @param messageId `<…@…>`; the same at every attempt, so that a repeat can be recognised
   * @param signal gives up when it is aborted
   * @throws MailRefusedError when this mail will never be taken
   * @throws any other error when another attempt may succeed
   */
  deliver(mail: Mail, messageId: string, signal?: AbortSignal): Promise<void>;
}

/** Injection token of the one `Mailer`. */
export const MAILER = Symbol('MAILER');

/** The server has answered for good: no such mailbox, or it does not want this mail. */
export class MailRefusedError extends Error {
  override readonly name = 'MailRefusedError';
}

import type { SendMailOptions } from 'nodemailer';
import type { Mailbox } from '../../../kernel/mailbox.js';
import type { Mail } from '../mail.js';

/** The mail as nodemailer takes it: addresses as objects, which are not parsed again, and nothing fetched from anywhere. */
export function messageOf({ to, subject, text, html }: Mail, messageId: string, from: Mailbox): SendMailOptions {
  const recipient = { name: '', address: to };
  return {
    from: { ...from },
    to: recipient,
    envelope: { from: from.address, to: [to] },
    subject,
    text,
    html,
    messageId,
    // RFC 3834, section 5: nobody's holiday notice answers it.
    headers: { 'Auto-Submitted': 'auto-generated' },
    xMailer: false,
    disableFileAccess: true,
    disableUrlAccess: true,
  };
}

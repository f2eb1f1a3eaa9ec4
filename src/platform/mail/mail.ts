import type { EmailAddress } from '../../kernel/email-address.js';

/** One message to one reader. */
export interface Mail {
  readonly to: EmailAddress;
  readonly subject: string;
  readonly text: string;
  readonly html: string;
  /** What the reader is to open; logged once where there is no SMTP server, and outside production only. */
  readonly link?: string;
  /** For the metric and the file's name: a fixed word of the program's own, such as `verification`. */
  readonly kind: string;
}

import { type EmailAddress, emailAddress } from './email-address.js';

/** Who a mail is from: the name readers see, and the address. */
export interface Mailbox {
  /** Empty when there is none. */
  readonly name: string;
  readonly address: EmailAddress;
}

/** RFC 5322, section 3.4, as people write it: `Name <address>`, the name in quotes or not, or the address alone. */
const MAILBOX = /^(?:(?:"([^"<>\p{Cc}]*)"|([^"<>\p{Cc}]*?)) *<([^<>]*)>|([^<>]*))$/u;

/**
 * Reads `Holdfast <no-reply@example.com>` or `no-reply@example.com`.
 *
 * @returns undefined when it is neither
 */
export function parseMailbox(text: string): Mailbox | undefined {
  const [, quoted, plain = '', inBrackets, alone = ''] = MAILBOX.exec(text.trim()) ?? [];
  const address = emailAddress(inBrackets ?? alone);
  return address && { name: (quoted ?? plain).trim(), address };
}

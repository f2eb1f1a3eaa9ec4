import type { Config } from '../../config/index.js';
import { type Mailbox, parseMailbox } from '../../kernel/mailbox.js';

/** `MAIL_FROM`, which the configuration has checked. */
export function senderOf({ MAIL_FROM }: Pick<Config, 'MAIL_FROM'>): Mailbox {
  const from = parseMailbox(MAIL_FROM);
  if (from === undefined) throw new RangeError('MAIL_FROM is no sender of mail');
  return from;
}

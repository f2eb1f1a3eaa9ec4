import { emailAddress } from '../../kernel/email-address.js';
import { JobGivenUpError, type JobPayload, type NewJob } from '../jobs/index.js';
import type { Mail } from './mail.js';

/** The kind of the jobs that carry mail. */
export const MAIL_JOB = 'mail';

const DAY_MS = 24 * 3_600_000;
const KIND = /^[a-z][a-z0-9-]{0,63}$/;
/** What could end a header line, and what has no business in one. */
const CONTROL_CHARACTERS = /[\p{Cc}\u2028\u2029]+/gu;

/**
 * The job that sends `mail`. What goes into headers is made harmless here, whoever wrote it: the address is one address
 * in its normal form, and the subject one line.
 *
 * @throws RangeError when `to` is no address or `kind` no word
 */
export function mailJob({ to, subject, text, html, link, kind }: Mail, expiresInMs: number = DAY_MS): NewJob {
  const address = emailAddress(to);
  if (address === undefined) throw new RangeError('A mail is to go to what is no email address');
  if (!KIND.test(kind)) throw new RangeError(`"${kind}" is not a kind of mail: lower-case letters, digits and hyphens`);
  const payload: JobPayload = {
    to: address,
    subject: subject.replaceAll(CONTROL_CHARACTERS, ' ').trim(),
    text,
    html,
    kind,
    ...(link !== undefined && { link }),
  };
  return { kind: MAIL_JOB, payload, expiresInMs };
}

/** @throws JobGivenUpError when another version of the program wrote it, and differently */
export function mailOf({ to, subject, text, html, kind, link }: JobPayload): Mail {
  if (
    typeof to !== 'string' ||
    typeof subject !== 'string' ||
    typeof text !== 'string' ||
    typeof html !== 'string' ||
    typeof kind !== 'string'
  ) {
    throw new JobGivenUpError('The payload is no mail');
  }
  return { to, subject, text, html, kind, ...(typeof link === 'string' && { link }) };
}

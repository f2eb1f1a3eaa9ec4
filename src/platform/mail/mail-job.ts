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
 * The job that sends `mail`. Its subject is made one line, whoever wrote it: it goes into a header.
 *
 * @throws RangeError when `kind` is no word
 */
export function mailJob({ to, subject, text, html, link, kind }: Mail, expiresInMs: number = DAY_MS): NewJob {
  if (!KIND.test(kind)) throw new RangeError(`"${kind}" is not a kind of mail: lower-case letters, digits and hyphens`);
  const payload: JobPayload = {
    to,
    subject: subject.replaceAll(CONTROL_CHARACTERS, ' ').trim(),
    text,
    html,
    kind,
    ...(link !== undefined && { link }),
  };
  return { kind: MAIL_JOB, payload, expiresInMs };
}

/** @throws JobGivenUpError when another version of the program wrote it, and differently */
export function mailOf({ to: address, subject, text, html, kind, link }: JobPayload): Mail {
  const to = typeof address === 'string' ? emailAddress(address) : undefined;
  if (
    to === undefined ||
    typeof subject !== 'string' ||
    typeof text !== 'string' ||
    typeof html !== 'string' ||
    typeof kind !== 'string'
  ) {
    throw new JobGivenUpError('The payload is no mail');
  }
  return { to, subject, text, html, kind, ...(typeof link === 'string' && { link }) };
}

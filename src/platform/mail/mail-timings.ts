import type { Backoff } from '../../kernel/backoff.js';

/** Injection token of the `MailTimings`. */
export const MAIL_TIMINGS = Symbol('MAIL_TIMINGS');

export interface MailTimings {
  /** Milliseconds without a sign of the server, at each step: name, connection, greeting, every answer. */
  readonly silence: number;
  /** Milliseconds for one attempt, against a server that goes on and on. */
  readonly attempt: number;
  /** Between attempts, until the mail expires. */
  readonly backoff: Backoff;
}

export const MAIL_TIMINGS_OF_PRODUCTION: MailTimings = {
  silence: 10_000,
  attempt: 45_000,
  backoff: { baseMs: 5000, capMs: 15 * 60_000 },
};

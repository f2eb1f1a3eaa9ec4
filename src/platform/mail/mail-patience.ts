import type { Backoff } from '../../kernel/backoff.js';

/** Injection token of the `MailPatience`. */
export const MAIL_PATIENCE = Symbol('MAIL_PATIENCE');

export interface MailPatience {
  /** Milliseconds without a sign of the server, at each step: name, connection, greeting, every answer. */
  readonly silence: number;
  /** Milliseconds for one attempt, against a server that goes on and on. */
  readonly attempt: number;
  /** Between attempts, until the mail expires. */
  readonly backoff: Backoff;
}

export const MAIL_PATIENCE_OF_PRODUCTION: MailPatience = {
  silence: 10_000,
  attempt: 45_000,
  backoff: { baseMs: 5000, capMs: 15 * 60_000 },
};

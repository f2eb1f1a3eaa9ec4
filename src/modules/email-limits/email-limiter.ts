import { Inject, Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { CONFIG, type Config } from '../../config/index.js';
import type { EmailAddress } from '../../kernel/email-address.js';
import { EmailHash } from '../../platform/encryption/index.js';
import { Metrics } from '../../platform/metrics/index.js';
import { RateLimitedError } from '../../platform/rate-limit/index.js';
import type { EmailLimitKind } from './email-limit-kind.js';
import { emailLimitFields } from './email-limit-headers.js';
import { type EmailLimitReading, msToReset, readingOf } from './email-limit-reading.js';
import { EmailLimitsRepository } from './email-limits.repository.js';

/** What whoever asked is told: the same for an address that nobody has. */
const REFUSALS: Readonly<Record<EmailLimitKind, string>> = {
  verification: 'Too many verification emails. Please wait before requesting another.',
  'password-reset': 'Too many password reset emails. Please wait before requesting another.',
};

/** How often mail of a kind may be asked for, for one e-mail address: known or not, the count is the same. */
@Injectable()
export class EmailLimiter {
  /** What applies where no override does. */
  readonly configured: Readonly<Record<EmailLimitKind, number>>;
  private readonly decisions;

  constructor(
    @Inject(CONFIG) config: Pick<Config, 'EMAIL_VERIFICATION_RATE_LIMIT' | 'EMAIL_PASSWORD_RESET_RATE_LIMIT'>,
    private readonly repository: EmailLimitsRepository,
    private readonly hashes: EmailHash,
    metrics: Metrics,
  ) {
    this.configured = {
      verification: config.EMAIL_VERIFICATION_RATE_LIMIT,
      'password-reset': config.EMAIL_PASSWORD_RESET_RATE_LIMIT,
    };
    this.decisions = metrics.counter('holdfast_email_limit_decisions_total', 'Decisions by kind and outcome', [
      'kind',
      'outcome',
    ]);
  }

  /**
   * Counts one attempt in the caller's transaction, which gives it back if it rolls back. One statement decides, under
   * the lock of the row, so that of attempts at the same time each sees what the one before has left. A refused attempt
   * is not counted, and without a limit none is.
   *
   * @throws RateLimitedError (429), with its headers
   */
  async take(tx: EntityManager, kind: EmailLimitKind, email: EmailAddress): Promise<EmailLimitReading> {
    const key = { kind, emailHash: this.hashes.of(email) };
    const limit = this.configured[kind];
    const taken = await this.repository.take(tx, key, limit);
    if (taken) return this.decided('allowed', readingOf(kind, taken));
    const reading = readingOf(kind, await this.repository.read(tx, key, limit));
    if (reading.limit === 0) return this.decided('off', reading);
    this.decided('refused', reading);
    // None left and nothing to wait for: the last attempt has left the window since the decision.
    const retryAfterMs = Math.max(1, msToReset(reading));
    throw new RateLimitedError({ retryAfterMs }, reading.asOf.getTime(), {
      headers: emailLimitFields(reading, false),
      detail: REFUSALS[kind],
    });
  }

  private decided(outcome: 'allowed' | 'refused' | 'off', reading: EmailLimitReading): EmailLimitReading {
    this.decisions.inc({ kind: reading.kind, outcome });
    return reading;
  }
}

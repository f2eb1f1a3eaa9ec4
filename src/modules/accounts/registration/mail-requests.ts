import { Injectable } from '@nestjs/common';
import type { EmailAddress } from '../../../kernel/email-address.js';
import type { RequestContext } from '../../../platform/auth/index.js';
import { Jobs } from '../../../platform/jobs/index.js';
import { Transactor } from '../../../platform/transaction/index.js';
import { type EmailLimitKind, type EmailLimitReading, EmailLimits } from '../../email-limits/index.js';

/** What somebody asked for who may or may not have an account. */
export interface MailRequest {
  readonly email: EmailAddress;
  readonly context: RequestContext;
  /** Of a registration. */
  readonly passwordHash?: string;
}

/** Rows are locked where two may meet. */
const ISOLATION = { isolation: 'READ COMMITTED' } as const;

/**
 * Takes requests that must not tell whether an address has an account. Until the answer nothing is looked up: the request
 * is counted against the address's limit and stored as a job, in one transaction that is the same for every address. What
 * comes of it is found out behind the answer.
 */
@Injectable()
export class MailRequests {
  constructor(
    private readonly transactor: Transactor,
    private readonly limits: EmailLimits,
    private readonly jobs: Jobs,
  ) {}

  /**
   * @param job what carries it out
   * @throws EmailLimitedError (429)
   */
  accept(
    limit: EmailLimitKind,
    job: string,
    { email, context, passwordHash }: MailRequest,
  ): Promise<EmailLimitReading> {
    const { actor, requestId = null, ip = null } = context;
    const payload = { email, passwordHash: passwordHash ?? null, actor, requestId, ip };
    return this.transactor.run(async (tx) => {
      const reading = await this.limits.take(tx, limit, email);
      await this.jobs.enqueue(tx, [{ kind: job, payload }]);
      return reading;
    }, ISOLATION);
  }
}

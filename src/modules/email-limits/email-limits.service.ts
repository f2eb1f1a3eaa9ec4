import { Injectable } from '@nestjs/common';
import { NotFoundError, ValidationError } from '../../kernel/app-error.js';
import type { RequestContext } from '../../platform/auth/index.js';
import { EmailHash } from '../../platform/encryption/index.js';
import { IdempotentTransactor, type RequestClaim } from '../../platform/idempotency/index.js';
import { READ_COMMITTED } from '../../platform/transaction/index.js';
import { AuditLog } from '../audit/index.js';
import type { EmailLimitDto, EmailLimitOverrideDto, SetEmailLimitOverrideDto } from './email-limit.dto.js';
import { readingOf } from './email-limit-reading.js';
import { EmailLimiter } from './email-limiter.js';
import { EmailLimitsRepository } from './email-limits.repository.js';
import { limitedAddress } from './limited-address.js';

/** Where an e-mail address stands, and what an admin makes of its limit. Every change is audited, without the address. */
@Injectable()
export class EmailLimitsService {
  constructor(
    private readonly transactor: IdempotentTransactor,
    private readonly repository: EmailLimitsRepository,
    private readonly limiter: EmailLimiter,
    private readonly hashes: EmailHash,
    private readonly audit: AuditLog,
  ) {}

  /** @throws ValidationError (400) */
  async show(kindText: string, addressText: string): Promise<EmailLimitDto> {
    const { kind, email } = limitedAddress(kindText, addressText);
    const key = { kind, emailHash: this.hashes.of(email) };
    const { override, ...state } = await this.repository.read(undefined, key, this.limiter.configured[kind]);
    const { limit, count, remaining, resetAt, attempts } = readingOf(kind, state);
    return {
      kind,
      email,
      count,
      limit,
      remaining: limit === 0 ? null : remaining,
      resetAt,
      attempts: [...attempts],
      override,
    };
  }

  /** Replaces what was set before; the next attempt meets it. @throws ValidationError (400) */
  async override(
    kindText: string,
    addressText: string,
    { limit, until = null }: SetEmailLimitOverrideDto,
    context: RequestContext,
    claim?: RequestClaim,
  ): Promise<EmailLimitOverrideDto> {
    const { kind, email } = limitedAddress(kindText, addressText);
    const key = { kind, emailHash: this.hashes.of(email) };
    const override = { limit, until: until === null ? null : new Date(until), setBy: context.actor };
    return this.transactor.run(
      claim,
      async (tx) => {
        const made = await this.repository.override(tx, key, override);
        if (!made) throw ValidationError.of([{ path: 'until', message: 'until must be in the future' }]);
        const details = { kind, limit, until };
        const subject = this.hashes.subjectOf(email);
        await this.audit.record(tx, [{ ...context, action: 'email_limit.overridden', subject, details }]);
        return made;
      },
      READ_COMMITTED,
    );
  }

  /** @throws ValidationError (400), NotFoundError (404) when there is nothing to remove */
  async restore(kindText: string, addressText: string, context: RequestContext, claim?: RequestClaim): Promise<void> {
    const { kind, email } = limitedAddress(kindText, addressText);
    const key = { kind, emailHash: this.hashes.of(email) };
    await this.transactor.run(
      claim,
      async (tx) => {
        const wasSet = await this.repository.restore(tx, key);
        if (!wasSet) throw new NotFoundError('There is no such override.');
        const subject = this.hashes.subjectOf(email);
        await this.audit.record(tx, [{ ...context, action: 'email_limit.restored', subject, details: { kind } }]);
      },
      READ_COMMITTED,
    );
  }
}

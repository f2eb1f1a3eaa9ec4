import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { NotFoundError, ValidationError } from '../../kernel/app-error.js';
import type { RequestContext } from '../../platform/auth/index.js';
import { DatabaseClock } from '../../platform/clock/index.js';
import { IdempotentTransactor, type RequestClaim } from '../../platform/idempotency/index.js';
import {
  RateLimiter,
  type RateLimitOverride,
  RateLimitOverrides,
  RateLimitOverridesRepository,
  type RuleUse,
} from '../../platform/rate-limit/index.js';
import { READ_COMMITTED } from '../../platform/transaction/index.js';
import { ApiKeysService } from '../api-keys/index.js';
import { AuditLog } from '../audit/index.js';
import { apiKeySubject, type LimitedSubject, limitedSubject } from './limited-subject.js';
import {
  type AppliedRateLimitDto,
  OVERRIDABLE,
  type RateLimitOverrideDto,
  type RateLimitsDto,
  type SetRateLimitOverrideDto,
} from './rate-limit.dto.js';

/** What limits somebody, and what an admin makes of it. Every change is audited and known everywhere within a second. */
@Injectable()
export class RateLimitsService {
  constructor(
    private readonly transactor: IdempotentTransactor,
    private readonly repository: RateLimitOverridesRepository,
    private readonly overrides: RateLimitOverrides,
    private readonly limiter: RateLimiter,
    private readonly apiKeys: ApiKeysService,
    private readonly clock: DatabaseClock,
    private readonly audit: AuditLog,
  ) {}

  /**
   * @param text `api-key:<id>`, `user:<id>`, `ip:<address>` or `everyone`
   * @throws ValidationError (400) for another subject, NotFoundError (404) for an API key that is not there
   */
  async show(text: string): Promise<RateLimitsDto> {
    const subject = limitedSubject(text);
    const key = subject.kind === 'api-key' ? await this.apiKeys.find(subject.id) : null;
    const counted =
      key?.sharesLimitsOf && !this.overrides.of(subject.name) ? apiKeySubject(key.sharesLimitsOf) : subject;
    const uses = await this.limiter.usage(counted.name, key?.limits ?? undefined, OVERRIDABLE);
    return { subject: counted.name, limits: uses.map((use) => this.present(counted, use)) };
  }

  /** Replaces what was set before. @throws ValidationError (400), NotFoundError (404) */
  async override(
    text: string,
    input: SetRateLimitOverrideDto,
    context: RequestContext,
    claim?: RequestClaim,
  ): Promise<RateLimitOverrideDto> {
    const subject = await this.existing(text);
    const { rule, limit = null, shadow = null, until = null } = input;
    const set = await this.transactor.run(
      claim,
      async (tx) => {
        const override = await this.repository.set(tx, {
          subject: subject.name,
          rule,
          limit,
          shadow,
          until: until === null ? null : new Date(until),
          setBy: context.actor,
        });
        if (!override) throw ValidationError.of([{ path: 'until', message: 'until must be in the future' }]);
        await this.record(tx, 'rate_limit.overridden', subject, context, { rule, limit, shadow, until });
        return presentOverride(override);
      },
      READ_COMMITTED,
    );
    await this.overrides.refresh();
    return set;
  }

  /** @param rule all of them, if left out. @throws NotFoundError (404) when there is nothing to remove */
  async remove(text: string, rule: string | undefined, context: RequestContext, claim?: RequestClaim): Promise<void> {
    const subject = limitedSubject(text);
    await this.transactor.run(
      claim,
      async (tx) => {
        const rules = await this.repository.remove(tx, subject.name, rule ?? null);
        if (rules.length === 0) throw new NotFoundError('There is no such override.');
        await this.record(tx, 'rate_limit.restored', subject, context, { rules });
      },
      READ_COMMITTED,
    );
    await this.overrides.refresh();
  }

  /** A typing mistake in the id of a key would otherwise be an override that nobody ever meets. */
  private async existing(text: string): Promise<LimitedSubject> {
    const subject = limitedSubject(text);
    if (subject.kind === 'api-key') await this.apiKeys.find(subject.id);
    return subject;
  }

  private async record(
    tx: EntityManager,
    action: string,
    subject: LimitedSubject,
    context: RequestContext,
    details: Record<string, unknown>,
  ): Promise<void> {
    await this.audit.record(tx, [{ ...context, action, subject: subject.name, details }]);
  }

  private present({ kind, name: subject }: LimitedSubject, use: RuleUse): AppliedRateLimitDto {
    const { name, limit, windowMs, algorithm, shadow, used, clearMs } = use;
    const override = this.overrides.of(subject)?.get(name);
    const counts = kind !== 'everyone';
    return {
      rule: name,
      limit,
      windowSeconds: windowMs / 1000,
      algorithm,
      shadow,
      used: counts ? used : null,
      remaining: counts && limit > 0 ? Math.max(0, limit - used) : null,
      resetAt: counts && used > 0 ? new Date(this.clock.now() + clearMs) : null,
      override: override ? presentOverride(override) : null,
    };
  }
}

function presentOverride({ limit, shadow, until, setBy, setAt }: RateLimitOverride): RateLimitOverrideDto {
  return { limit, shadow, until, setBy, setAt };
}

import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { NotFoundError, ValidationError } from '../../../kernel/app-error.js';
import { decodeCursor, pageOf } from '../../../kernel/cursor.js';
import { isUuid, newId } from '../../../kernel/ids.js';
import type { RequestContext } from '../../../platform/auth/index.js';
import type { PageQueryDto } from '../../../platform/http/index.js';
import { IdempotentTransactor, type RequestClaim } from '../../../platform/idempotency/index.js';
import { READ_COMMITTED } from '../../../platform/transaction/index.js';
import { AuditLog } from '../../audit/index.js';
import { BacktestRepository } from './backtest.repository.js';
import type {
  BacktestDto,
  ChangeFraudRuleDto,
  FraudRuleDto,
  FraudRulePageDto,
  NewFraudRuleDto,
  RuleSettingsDto,
} from './dto/fraud-rule.dto.js';
import type { RuleSettings, RuleShape } from './fraud-rule.js';
import type { FraudRule } from './fraud-rule.entity.js';
import { FraudRulesRepository } from './fraud-rules.repository.js';
import { ruleView } from './fraud-rule-view.js';
import { faultsOf, storedValues } from './rule-settings.js';

/** The rules as staff makes them. Every change is audited, and holds for every payment created after it. */
@Injectable()
export class FraudRulesService {
  constructor(
    private readonly rules: FraudRulesRepository,
    private readonly backtests: BacktestRepository,
    private readonly transactor: IdempotentTransactor,
    private readonly audit: AuditLog,
  ) {}

  async list({ limit, cursor }: PageQueryDto): Promise<FraudRulePageDto> {
    const before = cursor === undefined ? undefined : decodeCursor(cursor, { id: 'uuid' }).id;
    return pageOf(await this.rules.list(before, limit + 1), limit, ({ id }) => ({ id }), ruleView);
  }

  /** @throws NotFoundError */
  async get(id: string): Promise<FraudRuleDto> {
    return ruleView(known(isUuid(id) ? await this.rules.find(id) : null));
  }

  /** @throws ValidationError (400) naming the settings that the kind lacks, or has not */
  create(input: NewFraudRuleDto, context: RequestContext, claim?: RequestClaim): Promise<FraudRuleDto> {
    const { name, kind, action, mode = 'active' } = input;
    const settings = checked({ kind, action, ...settingsOf(input) });
    const id = newId();
    return this.transactor.run(
      claim,
      async (tx) => {
        await this.rules.insert(tx, { id, name, mode, ...settings, createdBy: context.actor });
        return this.changed(tx, id, 'created', context, { name, mode, ...settings });
      },
      READ_COMMITTED,
    );
  }

  /** @throws NotFoundError, ValidationError */
  change(id: string, input: ChangeFraudRuleDto, context: RequestContext, claim?: RequestClaim): Promise<FraudRuleDto> {
    return this.transactor.run(
      claim,
      async (tx) => {
        const rule = await this.locked(tx, id);
        const { name = rule.name, mode = rule.mode, action = rule.action } = input;
        const { kind: _, ...settings } = checked({ kind: rule.kind, action, ...settingsOf(input, rule) });
        await this.rules.change(tx, id, { name, mode, ...settings });
        return this.changed(tx, id, 'changed', context, { ...input });
      },
      READ_COMMITTED,
    );
  }

  /** What it made of payments stays. @throws NotFoundError */
  remove(id: string, context: RequestContext, claim?: RequestClaim): Promise<void> {
    return this.transactor.run(
      claim,
      async (tx) => {
        const { name } = await this.locked(tx, id);
        await this.rules.remove(tx, id);
        await this.record(tx, id, 'deleted', context, { name });
      },
      READ_COMMITTED,
    );
  }

  /** @throws NotFoundError; UnavailableError (503) when it takes too long */
  async backtest(id: string, days: number): Promise<BacktestDto> {
    const rule = known(isUuid(id) ? await this.rules.find(id) : null);
    const { payments, skipped, matched, newest } = await this.backtests.run(rule, days);
    return { rule: rule.id, days, payments, skipped, matched, newest: [...newest] };
  }

  private async locked(tx: EntityManager, id: string): Promise<FraudRule> {
    return known(isUuid(id) ? await this.rules.lock(tx, id) : null);
  }

  private async changed(
    tx: EntityManager,
    id: string,
    what: 'created' | 'changed',
    context: RequestContext,
    details: Record<string, unknown>,
  ): Promise<FraudRuleDto> {
    await this.record(tx, id, what, context, details);
    return ruleView(known(await this.rules.find(id, tx)));
  }

  private async record(
    tx: EntityManager,
    id: string,
    what: 'created' | 'changed' | 'deleted',
    context: RequestContext,
    details: Record<string, unknown>,
  ): Promise<void> {
    await this.audit.record(tx, [{ ...context, action: `fraud_rule.${what}`, subject: `fraud-rule:${id}`, details }]);
  }
}

const NO_SETTINGS: RuleSettings = { by: null, windowSeconds: null, limit: null, currency: null, values: null };

/** @param before what stays where nothing is given */
function settingsOf({ limit, ...input }: RuleSettingsDto, before: RuleSettings = NO_SETTINGS): RuleSettings {
  return {
    by: input.by ?? before.by,
    windowSeconds: input.windowSeconds ?? before.windowSeconds,
    limit: limit === undefined ? before.limit : String(limit),
    currency: input.currency ?? before.currency,
    values: input.values ?? before.values,
  };
}

/** @throws ValidationError */
function checked<Rule extends RuleShape>(rule: Rule): Rule & { values: string[] | null } {
  const faults = faultsOf(rule);
  if (faults.length > 0) throw ValidationError.of(faults);
  return { ...rule, values: storedValues(rule) };
}

function known(rule: FraudRule | null): FraudRule {
  if (rule === null) throw new NotFoundError('There is no fraud rule with this id.');
  return rule;
}

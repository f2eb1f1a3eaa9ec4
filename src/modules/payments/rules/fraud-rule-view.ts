import { jsonTime } from '../../wallet/index.js';
import type { FraudRuleDto, RuleEvaluationDto } from './dto/fraud-rule.dto.js';
import type { FraudRule } from './fraud-rule.entity.js';
import type { RuleEvaluation } from './rule-evaluation.entity.js';

export function ruleView(rule: FraudRule): FraudRuleDto {
  const { id, name, kind, action, mode, by, windowSeconds, limit, currency, values, createdAt, updatedAt } = rule;
  return {
    id,
    name,
    kind,
    action,
    mode,
    by,
    windowSeconds,
    limit: limit === null ? null : Number(limit),
    currency,
    values,
    createdAt: jsonTime(createdAt),
    updatedAt: jsonTime(updatedAt),
  };
}

export function evaluationView(evaluation: RuleEvaluation): RuleEvaluationDto {
  const { rule, name, kind, action, mode, outcome, figure, threshold, at } = evaluation;
  return {
    rule,
    name,
    kind,
    action,
    mode,
    outcome,
    figure: figure === null ? null : Number(figure),
    threshold: Number(threshold),
    at: jsonTime(at),
  };
}

import {
  type EvaluationOutcome,
  RULE_ACTIONS,
  type RuleAction,
  type RuleMode,
  type RuleShape,
  type Verdict,
} from './fraud-rule.js';

/** What a figure is compared with, and on which side of it a rule matches. */
export interface Threshold {
  readonly beyond: '>' | '<';
  readonly value: bigint;
}

/** A new account is younger than so many seconds; all other figures are more than the limit. Being on a list is a figure of 1. */
export function thresholdOf({ kind, limit, windowSeconds }: RuleShape): Threshold {
  if (kind === 'new_account') return { beyond: '<', value: BigInt(windowSeconds ?? 0) };
  return { beyond: '>', value: BigInt(limit ?? 0) };
}

/** @param figure undefined when the payment does not say what the rule looks at */
export function outcomeOf(rule: RuleShape, figure: bigint | undefined): EvaluationOutcome {
  if (figure === undefined) return 'skipped';
  const { beyond, value } = thresholdOf(rule);
  return (beyond === '<' ? figure < value : figure > value) ? 'matched' : 'passed';
}

/** The strongest action of the rules that matched says what becomes of the payment; those in shadow mode have no say. */
export function verdictOf(
  evaluations: readonly { action: RuleAction; mode: RuleMode; outcome: EvaluationOutcome }[],
): Verdict {
  const acting = evaluations.filter(({ mode, outcome }) => mode === 'active' && outcome === 'matched');
  const strongest = RULE_ACTIONS.find((action) => acting.some((each) => each.action === action));
  if (strongest === 'block' || strongest === 'decline') return 'decline';
  return strongest === 'review' ? 'review' : 'accept';
}

/** What a rule looks at. */
export const RULE_KINDS = [
  'amount',
  'count',
  'sum',
  'failed_attempts',
  'disputes',
  'distinct_cards',
  'new_account',
  'country_mismatch',
  'list',
] as const;
export type RuleKind = (typeof RULE_KINDS)[number];

/**
 * What becomes of a payment that a rule matches, the strongest first. `block` and `allow` are for lists: who is blocked is declined
 * even when they are allowed as well, and who is allowed is neither declined nor reviewed.
 */
export const RULE_ACTIONS = ['block', 'allow', 'decline', 'review'] as const;
export type RuleAction = (typeof RULE_ACTIONS)[number];

/** `shadow`: evaluated and recorded, and nothing comes of it. */
export const RULE_MODES = ['active', 'shadow', 'off'] as const;
export type RuleMode = (typeof RULE_MODES)[number];

/** Whose payments belong together. */
export const RULE_SUBJECTS = ['user', 'ip', 'card', 'email', 'device', 'country'] as const;
export type RuleSubject = (typeof RULE_SUBJECTS)[number];

/** The figures of a rule; which of them it has depends on its kind (`rule-settings.ts`). */
export interface RuleSettings {
  readonly by: RuleSubject | null;
  readonly windowSeconds: number | null;
  /** How many, or how much in minor units, is still all right. */
  readonly limit: string | null;
  readonly currency: string | null;
  /** Of a list. */
  readonly values: readonly string[] | null;
}

export interface RuleShape extends RuleSettings {
  readonly kind: RuleKind;
  readonly action: RuleAction;
}

/**
 * `matched`: the figure is beyond the limit. `passed`: it is not. `skipped`: the payment does not say what the rule looks at, such
 * as an IP address, or is in another currency.
 */
export const EVALUATION_OUTCOMES = ['matched', 'passed', 'skipped'] as const;
export type EvaluationOutcome = (typeof EVALUATION_OUTCOMES)[number];

/** What rules make of a payment. */
export type Verdict = 'accept' | 'decline' | 'review';

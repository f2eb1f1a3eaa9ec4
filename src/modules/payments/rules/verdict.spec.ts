import { describe, expect, it } from '@jest/globals';
import type { EvaluationOutcome, RuleAction, RuleKind, RuleMode, RuleShape } from './fraud-rule.js';
import { outcomeOf, verdictOf } from './verdict.js';

function rule(kind: RuleKind, settings: Partial<RuleShape> = {}): RuleShape {
  return {
    kind,
    action: 'decline',
    by: null,
    windowSeconds: null,
    limit: null,
    currency: null,
    values: null,
    ...settings,
  };
}

describe('what a rule makes of a figure', () => {
  it.each<[string, RuleShape, bigint | undefined, EvaluationOutcome]>([
    ['the third of three', rule('count', { limit: '3' }), 3n, 'passed'],
    ['the fourth of three', rule('count', { limit: '3' }), 4n, 'matched'],
    ['exactly the amount', rule('amount', { limit: '1000' }), 1000n, 'passed'],
    ['one unit more', rule('amount', { limit: '1000' }), 1001n, 'matched'],
    ['more than a double can count', rule('sum', { limit: '9007199254740990' }), 9007199254740991n, 'matched'],
    ['a younger account', rule('new_account', { windowSeconds: 60 }), 59n, 'matched'],
    ['an account of that age', rule('new_account', { windowSeconds: 60 }), 60n, 'passed'],
    ['not on the list', rule('list'), 0n, 'passed'],
    ['on the list', rule('list'), 1n, 'matched'],
    ['no other country', rule('country_mismatch'), 0n, 'passed'],
    ['another country, once', rule('country_mismatch'), 1n, 'matched'],
    ['nothing to look at', rule('count', { limit: '0' }), undefined, 'skipped'],
  ])('%s', (_what, shape, figure, outcome) => {
    expect(outcomeOf(shape, figure)).toBe(outcome);
  });
});

describe('the verdict', () => {
  const matched = (action: RuleAction, mode: RuleMode = 'active') => ({ action, mode, outcome: 'matched' as const });

  it.each<[string, ReturnType<typeof matched>[], string]>([
    ['nothing matched', [], 'accept'],
    ['review', [matched('review')], 'review'],
    ['decline', [matched('decline')], 'decline'],
    ['block', [matched('block')], 'decline'],
    ['allow', [matched('allow')], 'accept'],
    ['decline over review', [matched('review'), matched('decline')], 'decline'],
    ['allow over decline and review', [matched('decline'), matched('allow'), matched('review')], 'accept'],
    ['block over allow', [matched('allow'), matched('block')], 'decline'],
    ['shadow has no say', [matched('block', 'shadow'), matched('review')], 'review'],
    ['nor does an allow list in shadow mode', [matched('allow', 'shadow'), matched('decline')], 'decline'],
  ])('%s', (_what, evaluations, verdict) => {
    expect(verdictOf(evaluations)).toBe(verdict);
    expect(verdictOf(evaluations.toReversed())).toBe(verdict);
  });

  it.each<EvaluationOutcome>(['passed', 'skipped'])('is not that of a rule that has %s', (outcome) => {
    expect(verdictOf([{ action: 'block', mode: 'active', outcome }])).toBe('accept');
  });
});

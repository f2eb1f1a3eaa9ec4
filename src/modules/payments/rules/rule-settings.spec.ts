import { describe, expect, it } from '@jest/globals';
import { RULE_KINDS, type RuleKind, type RuleShape } from './fraud-rule.js';
import { faultsOf, storedValues } from './rule-settings.js';

const NOTHING = { by: null, windowSeconds: null, limit: null, currency: null, values: null } as const;

/** One of each kind that makes sense. */
const GOOD: Readonly<Record<RuleKind, RuleShape>> = {
  amount: { ...NOTHING, kind: 'amount', action: 'review', limit: '1000', currency: 'USD' },
  count: { ...NOTHING, kind: 'count', action: 'decline', by: 'user', windowSeconds: 3600, limit: '3' },
  sum: { ...NOTHING, kind: 'sum', action: 'decline', by: 'ip', windowSeconds: 3600, limit: '3', currency: 'USD' },
  failed_attempts: {
    ...NOTHING,
    kind: 'failed_attempts',
    action: 'decline',
    by: 'card',
    windowSeconds: 60,
    limit: '3',
  },
  disputes: { ...NOTHING, kind: 'disputes', action: 'review', by: 'card', windowSeconds: 60, limit: '0' },
  distinct_cards: { ...NOTHING, kind: 'distinct_cards', action: 'review', by: 'user', windowSeconds: 60, limit: '3' },
  new_account: { ...NOTHING, kind: 'new_account', action: 'review', windowSeconds: 60 },
  country_mismatch: { ...NOTHING, kind: 'country_mismatch', action: 'review', windowSeconds: 60 },
  list: { ...NOTHING, kind: 'list', action: 'block', by: 'ip', values: ['192.0.2.0/24', '2001:db8::1'] },
};

describe('a rule', () => {
  it.each(RULE_KINDS)('of kind %s makes sense with its settings, and with neither fewer nor more', (kind) => {
    const good = GOOD[kind];
    expect(faultsOf(good)).toEqual([]);
    const more = { by: 'user', windowSeconds: 60, limit: '1', currency: 'USD', values: ['ann'] } as const;
    for (const setting of ['by', 'windowSeconds', 'limit', 'currency', 'values'] as const) {
      const changed = { ...good, [setting]: good[setting] === null ? more[setting] : null };
      const [fault] = faultsOf(changed).filter(({ path }) => path === setting);
      expect(fault?.message).toMatch(good[setting] === null ? /^leave .* out: / : / is missing: /);
      expect(fault?.message).toContain(`a rule of kind ${kind} matches`);
    }
  });

  it.each(RULE_KINDS.filter((kind) => kind !== 'list'))('of kind %s neither blocks nor allows', (kind) => {
    for (const action of ['block', 'allow'] as const) {
      expect(faultsOf({ ...GOOD[kind], action })).toMatchObject([{ path: 'action' }]);
    }
  });

  it('counts by no country, and cards by no card', () => {
    expect(faultsOf({ ...GOOD.count, by: 'country' })).toMatchObject([{ path: 'by' }]);
    expect(faultsOf({ ...GOOD.distinct_cards, by: 'card' })).toMatchObject([{ path: 'by' }]);
  });
});

describe('the values of a list', () => {
  it.each([
    ['ip', '192.0.2.300'],
    ['ip', '192.0.2.0/33'],
    ['ip', 'fe80::1%eth0'],
    ['country', 'Germany'],
    ['country', 'de'],
    ['email', 'ann'],
    ['email', '@localhost'],
    ['user', 'änn'],
    ['card', ''],
  ] as const)('by %s are not %p, which is named', (by, value) => {
    const good = { ip: '192.0.2.1', country: 'DE', email: '@example.com', user: 'ann', card: 'x' }[by];
    expect(faultsOf({ ...GOOD.list, by, values: [good, value] })).toMatchObject([{ path: 'values.1' }]);
  });

  it('are stored in the spelling of payments, once', () => {
    const values = ['Ann@Example.com', 'ann@example.com', '@BÜCHER.example'];
    expect(storedValues({ by: 'email', values })).toEqual(['ann@example.com', '@xn--bcher-kva.example']);
    expect(storedValues({ by: 'ip', values: ['::ffff:192.0.2.0/120', '192.0.2.0/24'] })).toEqual(['192.0.2.0/24']);
    expect(storedValues({ by: 'user', values: ['Ann', 'ann'] })).toEqual(['Ann', 'ann']);
  });
});

import { describe, expect, it } from '@jest/globals';
import { formLimit, upgradeAdvice } from './form-limits.js';

describe('The forms of a subscription', () => {
  it.each([
    ['free', 5],
    ['starter', 20],
    ['pro', 50],
    ['business', Infinity],
    ['enterprise', Infinity],
  ] as const)('%s: %d at a time', (subscription, limit) => {
    expect(formLimit(subscription)).toBe(limit);
  });

  it.each([
    ['free', 'Upgrade to Starter for up to 20 forms, Pro for up to 50 forms, or Business for unlimited forms'],
    ['starter', 'Upgrade to Pro for up to 50 forms, or Business for unlimited forms'],
    ['pro', 'Upgrade to Business for unlimited forms'],
  ] as const)('grow from %s to those that have more', (subscription, advice) => {
    expect(upgradeAdvice(subscription)).toBe(advice);
  });
});

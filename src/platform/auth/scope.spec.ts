import { describe, expect, it } from '@jest/globals';
import { isScope, SCOPES, scopesMissing } from './scope.js';

describe('scopes', () => {
  it('are covered by admin, all of them', () => {
    expect(scopesMissing(['admin'], SCOPES)).toEqual([]);
  });

  it('are not implied by one another: neither write by read nor read by write', () => {
    expect(scopesMissing(['wallet:write'], ['wallet:read', 'wallet:write'])).toEqual(['wallet:read']);
    expect(scopesMissing(['wallet:read'], ['wallet:write'])).toEqual(['wallet:write']);
  });

  it('include admin only when it is held', () => {
    expect(scopesMissing(['wallet:read', 'audit:read'], ['admin'])).toEqual(['admin']);
  });

  it('are a closed list', () => {
    expect(isScope('webhooks:read')).toBe(true);
    expect(isScope('webhooks:*')).toBe(false);
    expect(isScope('constructor')).toBe(false);
  });
});

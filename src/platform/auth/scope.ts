/** What a credential may do. `admin` implies all others; `write` does not imply `read`. */
export const SCOPES = [
  'wallet:read',
  'wallet:write',
  'payments:read',
  'payments:write',
  'fraud:read',
  'fraud:write',
  'forms:read',
  'forms:write',
  'webhooks:read',
  'webhooks:write',
  'audit:read',
  'admin',
] as const;

export type Scope = (typeof SCOPES)[number];

const KNOWN: ReadonlySet<string> = new Set(SCOPES);

export function isScope(text: string): text is Scope {
  return KNOWN.has(text);
}

/** Those of `wanted` that `held` does not cover; empty when all is allowed. */
export function scopesMissing(held: readonly Scope[], wanted: readonly Scope[]): Scope[] {
  return held.includes('admin') ? [] : wanted.filter((scope) => !held.includes(scope));
}

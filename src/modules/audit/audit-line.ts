/** One thing that happened, as the code that did it tells it. */
export interface AuditLine {
  /** Who did it, `<kind>:<id>`: `api-key:<id>`, `user:<id>`, `source:stripe`; or `system`, or `anonymous`. */
  actor: string;
  /** What was done, `<noun>.<past participle>`: `webhook.accepted`, `api_key.revoked`. */
  action: string;
  /** What it was done to, `<kind>:<id>`: everything about one thing is found by it. */
  subject?: string | undefined;
  /** The `X-Request-Id` of the request that caused it. */
  requestId?: string | undefined;
  /** The caller's address, as text: an odd one must not fail what the line records. */
  ip?: string | undefined;
  /** A few plain facts. Secrets are redacted, long values cut (see `redactDetails`). */
  details?: Readonly<Record<string, unknown>> | undefined;
}

/** Characters; longer values are cut. */
export const LINE_LIMITS = { actor: 255, action: 100, subject: 255, requestId: 128, ip: 45 } as const;

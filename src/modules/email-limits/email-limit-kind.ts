/** The kinds of mail that are limited, each for itself. */
export const EMAIL_LIMIT_KINDS = ['verification', 'password-reset'] as const;
export type EmailLimitKind = (typeof EMAIL_LIMIT_KINDS)[number];

/** One hour, sliding; `email-limits.repository.ts` says the same in SQL. */
export const EMAIL_LIMIT_WINDOW_MS = 3_600_000;

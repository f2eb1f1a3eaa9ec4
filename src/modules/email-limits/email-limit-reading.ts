import { EMAIL_LIMIT_WINDOW_MS, type EmailLimitKind } from './email-limit-kind.js';

/** Where one e-mail address stands with one kind of mail, by the database's clock. */
export interface EmailLimitReading {
  readonly kind: EmailLimitKind;
  /** Attempts in any hour; 0: no limit. */
  readonly limit: number;
  /** Attempts of the last hour that were let through; while there is no limit none is added. */
  readonly count: number;
  /** Infinity where there is no limit. */
  readonly remaining: number;
  /** When one more than now is free: the oldest attempt that has to go leaves the window. null: there is none. */
  readonly resetAt: Date | null;
  /** Oldest first. */
  readonly attempts: readonly Date[];
  /** When this was read. */
  readonly asOf: Date;
}

/** What the table says; times lose their microseconds on the way out of PostgreSQL. */
export interface EmailLimitState {
  readonly limit: number;
  /** Of the last hour, oldest first. */
  readonly attempts: readonly Date[];
  readonly asOf: Date;
}

export function readingOf(kind: EmailLimitKind, { limit, attempts, asOf }: EmailLimitState): EmailLimitReading {
  const count = attempts.length;
  // An override may have lowered the limit below what is used: then more than the oldest has to leave.
  const leaving = attempts[limit === 0 ? 0 : Math.max(0, count - limit)];
  return {
    kind,
    limit,
    count,
    remaining: limit === 0 ? Infinity : Math.max(0, limit - count),
    // A millisecond for the microseconds cut off: who comes back at that time must find room.
    resetAt: leaving ? new Date(leaving.getTime() + EMAIL_LIMIT_WINDOW_MS + 1) : null,
    attempts,
    asOf,
  };
}

/** From the reading to its reset; 0 when nothing is used, and never for an attempt that counts. */
export function msToReset({ resetAt, asOf }: EmailLimitReading): number {
  return resetAt === null ? 0 : Math.max(1, resetAt.getTime() - asOf.getTime());
}

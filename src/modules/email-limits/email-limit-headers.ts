import { rateLimitFields } from '../../platform/rate-limit/index.js';
import { EMAIL_LIMIT_WINDOW_MS } from './email-limit-kind.js';
import { type EmailLimitReading, msToReset } from './email-limit-reading.js';

/**
 * The fields of every limit, under the policy `email-<kind>`.
 *
 * @param allowed whether the attempt was let through
 * @returns none where there is no limit
 */
export function emailLimitFields(reading: EmailLimitReading, allowed: boolean): Record<string, string> {
  const { kind, limit, remaining, asOf } = reading;
  if (limit === 0) return {};
  const tier = { name: `email-${kind}`, limit, windowMs: EMAIL_LIMIT_WINDOW_MS };
  return rateLimitFields(tier, { allowed, remaining, resetMs: msToReset(reading) }, asOf.getTime());
}

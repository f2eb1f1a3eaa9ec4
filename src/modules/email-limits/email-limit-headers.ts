import type { FastifyReply } from 'fastify';
import { EMAIL_LIMIT_WINDOW_MS } from './email-limit-kind.js';
import { type EmailLimitReading, secondsToReset } from './email-limit-reading.js';

/**
 * `X-RateLimit-*`, and `RateLimit-Policy` and `RateLimit` of draft-ietf-httpapi-ratelimit-headers: the fields of
 * `platform/rate-limit`.
 *
 * @returns none where there is no limit
 */
export function emailLimitHeaders(reading: EmailLimitReading): Record<string, string> {
  const { kind, limit, remaining, resetAt, asOf } = reading;
  if (limit === 0) return {};
  const policy = `"email-${kind}"`;
  return {
    'x-ratelimit-limit': String(limit),
    'x-ratelimit-remaining': String(remaining),
    'x-ratelimit-reset': (resetAt ?? asOf).toISOString(),
    'ratelimit-policy': `${policy};q=${limit};w=${EMAIL_LIMIT_WINDOW_MS / 1000}`,
    ratelimit: `${policy};r=${remaining};t=${secondsToReset(reading)}`,
  };
}

/** Tells the client where its address stands, in place of what the limits of the route say; nothing where there is no limit. */
export function announceEmailLimit(reply: FastifyReply, reading: EmailLimitReading): void {
  reply.headers(emailLimitHeaders(reading));
}

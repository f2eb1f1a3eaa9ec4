import { describe, expect, it } from 'vitest';
import { toProblem } from '../../platform/http/index.js';
import { emailLimitHeaders } from './email-limit-headers.js';
import { readingOf } from './email-limit-reading.js';
import { EmailLimitedError } from './email-limited.error.js';

const attempts = [new Date('2026-03-01T12:00:00.250Z'), new Date('2026-03-01T12:10:00.000Z')];
const asOf = new Date('2026-03-01T12:30:00.000Z');

describe('EmailLimitedError', () => {
  it('is the 429 of every limit, with when to come back in its body and headers', () => {
    const { problem, headers } = toProblem(
      new EmailLimitedError(readingOf('password-reset', { limit: 2, attempts, asOf })),
      '/api/auth/forgot',
      'request-1',
    );
    expect(problem).toMatchObject({
      status: 429,
      code: 'RATE_LIMIT_EXCEEDED',
      title: 'Too many requests',
      details: { retryAfter: 1801, resetAt: '2026-03-01T13:00:00.251Z' },
    });
    expect(headers).toEqual({
      'Retry-After': '1801',
      'x-ratelimit-limit': '2',
      'x-ratelimit-remaining': '0',
      'x-ratelimit-reset': '2026-03-01T13:00:00.251Z',
      'ratelimit-policy': '"email-password-reset";q=2;w=3600',
      ratelimit: '"email-password-reset";r=0;t=1801',
    });
  });

  it('asks for a second where the last attempt has left since', () => {
    const error = new EmailLimitedError(readingOf('verification', { limit: 2, attempts: [], asOf }));
    expect(error.details).toEqual({ retryAfter: 1, resetAt: asOf.toISOString() });
  });
});

describe('emailLimitHeaders', () => {
  it('say how much is left', () => {
    expect(emailLimitHeaders(readingOf('verification', { limit: 5, attempts, asOf }))).toMatchObject({
      'x-ratelimit-limit': '5',
      'x-ratelimit-remaining': '3',
      ratelimit: '"email-verification";r=3;t=1801',
    });
  });

  it('are none where there is no limit', () => {
    expect(emailLimitHeaders(readingOf('verification', { limit: 0, attempts, asOf }))).toEqual({});
  });
});

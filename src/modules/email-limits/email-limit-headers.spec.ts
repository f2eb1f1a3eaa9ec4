import { describe, expect, it } from '@jest/globals';
import { emailLimitFields } from './email-limit-headers.js';
import { readingOf } from './email-limit-reading.js';

const attempts = [new Date('2026-03-01T12:00:00.250Z'), new Date('2026-03-01T12:10:00.000Z')];
const asOf = new Date('2026-03-01T12:30:00.000Z');

describe('emailLimitFields', () => {
  it('say how much is left', () => {
    expect(emailLimitFields(readingOf('verification', { limit: 5, attempts, asOf }), true)).toEqual({
      'x-ratelimit-limit': '5',
      'x-ratelimit-remaining': '3',
      'x-ratelimit-reset': '2026-03-01T13:00:01Z',
      'ratelimit-policy': '"email-verification";q=5;w=3600',
      ratelimit: '"email-verification";r=3;t=1801',
    });
  });

  it('say of a refused attempt exactly when there is room', () => {
    const reading = readingOf('password-reset', { limit: 2, attempts, asOf });
    expect(emailLimitFields(reading, false)).toMatchObject({
      'x-ratelimit-remaining': '0',
      'x-ratelimit-reset': '2026-03-01T13:00:00.251Z',
      ratelimit: '"email-password-reset";r=0;t=1801',
    });
  });

  it('never ask to wait for longer than the hour', () => {
    const { ratelimit } = emailLimitFields(readingOf('verification', { limit: 1, attempts: [asOf], asOf }), false);
    expect(ratelimit).toBe('"email-verification";r=0;t=3600');
  });

  it('are none where there is no limit', () => {
    expect(emailLimitFields(readingOf('verification', { limit: 0, attempts, asOf }), true)).toEqual({});
  });
});

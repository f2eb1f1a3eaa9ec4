import { describe, expect, it } from '@jest/globals';
import { PermanentWebhookError, RetryAfterError } from './handler.errors.js';
import { verdictOn } from './verdict.js';

describe('verdictOn', () => {
  const event = (retryCount: number) => ({ retryCount, maxRetries: 3 });
  const failure = new Error('failed');

  it.each([
    [0, 1000],
    [1, 2000],
    [2, 4000],
  ])('waits about base · 2^n before retry %i', (retryCount, delayMs) => {
    const verdict = verdictOn(event(retryCount), failure, 1000);
    expect(verdict).toMatchObject({ status: 'FAILED' });
    expect(verdict.status === 'FAILED' && Math.abs(verdict.delayMs - delayMs) <= delayMs * 0.2).toBe(true);
  });

  it('is a dead letter once the retries are used up, or at once when the handler says so', () => {
    expect(verdictOn(event(3), failure, 1000)).toEqual({ status: 'DEAD_LETTER' });
    expect(verdictOn({ retryCount: 0, maxRetries: 0 }, failure, 1000)).toEqual({ status: 'DEAD_LETTER' });
    expect(verdictOn(event(0), new PermanentWebhookError('no'), 1000)).toEqual({ status: 'DEAD_LETTER' });
  });

  it('obeys the handler that says when, within a day', () => {
    expect(verdictOn(event(0), new RetryAfterError('later', 90), 1000)).toEqual({ status: 'FAILED', delayMs: 90_000 });
    expect(verdictOn(event(0), new RetryAfterError('later', 1e9), 1000)).toEqual({
      status: 'FAILED',
      delayMs: 86_400_000,
    });
    expect(verdictOn(event(3), new RetryAfterError('later', 90), 1000)).toEqual({ status: 'DEAD_LETTER' });
  });
});

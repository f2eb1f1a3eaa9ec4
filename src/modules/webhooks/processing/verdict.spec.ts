import { describe, expect, it } from '@jest/globals';
import { PermanentWebhookError, RetryAfterError } from './handler.errors.js';
import { verdictOn } from './verdict.js';

describe('verdictOn', () => {
  const event = (retryCount: number) => ({ retryCount, maxRetries: 3, attempts: retryCount });
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
    expect(verdictOn({ retryCount: 0, maxRetries: 0, attempts: 0 }, failure, 1000)).toEqual({ status: 'DEAD_LETTER' });
    expect(verdictOn(event(0), new PermanentWebhookError('no'), 1000)).toEqual({ status: 'DEAD_LETTER' });
  });

  it('obeys the handler that says when, within a day', () => {
    expect(verdictOn(event(0), new RetryAfterError('later', 90), 1000)).toEqual({
      status: 'FAILED',
      delayMs: 90_000,
      usesRetry: true,
    });
    expect(verdictOn(event(0), new RetryAfterError('later', 1e9), 1000)).toEqual({
      status: 'FAILED',
      delayMs: 86_400_000,
      usesRetry: true,
    });
    expect(verdictOn(event(3), new RetryAfterError('later', 90), 1000)).toEqual({ status: 'DEAD_LETTER' });
  });

  it.each(['40001', '40P01'])('uses up no retry when rivals were in the way (%s), unless they always are', (code) => {
    const lost = Object.assign(new Error('could not serialize access'), { code });
    const often = { ...event(3), attempts: 19 };
    expect(verdictOn(often, lost, 1000)).toMatchObject({ status: 'FAILED', usesRetry: false });
    expect(verdictOn({ ...often, attempts: 20 }, lost, 1000)).toEqual({ status: 'DEAD_LETTER' });
    expect(verdictOn({ ...event(1), attempts: 20 }, lost, 1000)).toMatchObject({ usesRetry: true });
  });
});

import { describe, expect, it } from '@jest/globals';
import { readingOf, msToReset } from './email-limit-reading.js';

const NOON = Date.parse('2026-03-01T12:00:00.000Z');
const minutes = (after: number) => new Date(NOON + after * 60_000);
const state = (limit: number, ...attempts: number[]) => ({ limit, attempts: attempts.map(minutes), asOf: minutes(30) });

describe('readingOf', () => {
  it('says how much is left, and that the oldest attempt leaves an hour after it was made', () => {
    const reading = readingOf('verification', state(5, 0, 10, 20));
    expect(reading).toMatchObject({ kind: 'verification', limit: 5, count: 3, remaining: 2, asOf: minutes(30) });
    expect(reading.attempts).toEqual([minutes(0), minutes(10), minutes(20)]);
    expect(reading.resetAt).toEqual(new Date(minutes(60).getTime() + 1));
  });

  it('has nothing to reset where nothing is used', () => {
    const reading = readingOf('verification', state(5));
    expect(reading).toMatchObject({ count: 0, remaining: 5, resetAt: null });
    expect(msToReset(reading)).toBe(0);
  });

  it('waits for as many attempts to leave as an override has made too many', () => {
    const reading = readingOf('verification', state(2, 0, 10, 20, 25));
    expect(reading.remaining).toBe(0);
    expect(reading.resetAt).toEqual(new Date(minutes(80).getTime() + 1));
  });

  it('leaves everything where there is no limit', () => {
    expect(readingOf('password-reset', state(0, 0, 10))).toMatchObject({ limit: 0, count: 2, remaining: Infinity });
  });
});

describe('msToReset', () => {
  it('is the time until one more is free', () => {
    expect(msToReset(readingOf('verification', state(1, 0)))).toBe(30 * 60_000 + 1);
  });

  it('is never 0 for an attempt that counts', () => {
    expect(msToReset({ ...readingOf('verification', state(1, 0)), asOf: minutes(61) })).toBe(1);
  });
});

import { describe, expect, it } from '@jest/globals';
import { isTimestamp } from './is-timestamp.decorator.js';

describe('isTimestamp', () => {
  it.each([
    '2026-01-31T09:30:00Z',
    '2024-02-29T23:59:59.123456+05:30',
    '0001-01-01T00:00:00Z',
    '9999-12-31T23:59:59-14:00',
  ])('accepts %s', (text) => expect(isTimestamp(text)).toBe(true));

  it.each([
    '2026-02-30T00:00:00Z',
    '2025-02-29T00:00:00Z',
    '2026-13-01T00:00:00Z',
    '0000-01-01T00:00:00Z',
    '2026-01-31',
    '2026-01-31T09:30:00',
    '2026-01-31T24:00:00Z',
    '2026-01-31 09:30:00Z',
    '+020000-01-01T00:00:00Z',
    'yesterday',
    '',
    20260131,
    null,
  ])('refuses %s', (value) => expect(isTimestamp(value)).toBe(false));
});

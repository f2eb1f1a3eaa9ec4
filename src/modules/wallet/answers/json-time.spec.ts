import { expect, it } from '@jest/globals';
import { jsonTime } from './json-time.js';

it('A time is written in RFC 3339, whichever times were written before', () => {
  const one = new Date('2026-01-31T09:30:00.123Z');
  const other = new Date('2026-01-31T09:30:00.124Z');
  expect([one, one, other, one].map(jsonTime)).toEqual([
    '2026-01-31T09:30:00.123Z',
    '2026-01-31T09:30:00.123Z',
    '2026-01-31T09:30:00.124Z',
    '2026-01-31T09:30:00.123Z',
  ]);
});

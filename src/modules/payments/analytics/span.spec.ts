import { describe, expect, it } from '@jest/globals';
import { spanOf } from './span.js';

const NOW = new Date('2026-01-31T09:30:00Z');

function texts({ from, to }: { readonly from: Date; readonly to: Date }): string[] {
  return [from, to].map((time) => time.toISOString());
}

describe('the span of figures', () => {
  it.each([
    ['hour', {}, ['2026-01-30T09:00:00.000Z', '2026-01-31T10:00:00.000Z']],
    ['day', {}, ['2026-01-01T00:00:00.000Z', '2026-02-01T00:00:00.000Z']],
    ['hour', { from: '2026-01-31T08:59:59+02:00' }, ['2026-01-31T06:00:00.000Z', '2026-01-31T10:00:00.000Z']],
    [
      'hour',
      { from: '2026-01-31T08:00:00Z', to: '2026-01-31T09:00:00Z' },
      ['2026-01-31T08:00:00.000Z', '2026-01-31T09:00:00.000Z'],
    ],
    [
      'hour',
      { from: '2026-01-31T08:00:00Z', to: '9999-12-31T23:59:59Z' },
      ['2026-01-31T08:00:00.000Z', '2026-01-31T10:00:00.000Z'],
    ],
    ['hour', { from: '2026-01-24T09:30:00Z' }, ['2026-01-24T09:00:00.000Z', '2026-01-31T10:00:00.000Z']],
    ['day', { from: '2025-01-30T09:30:00Z' }, ['2025-01-30T00:00:00.000Z', '2026-02-01T00:00:00.000Z']],
  ] as const)('by the %s, of %j, is whole buckets', (bucket, input, wanted) => {
    expect(texts(spanOf(input, bucket, NOW))).toEqual(wanted);
  });

  it.each([
    ['hour', { from: '2026-01-24T09:29:59Z' }, 'from must be at most 7 days before to; ask for bucket=day'],
    ['day', { from: '2025-01-30T09:29:59Z' }, 'from must be at most 366 days before to'],
    ['hour', { from: '2026-01-31T08:00:00Z', to: '2026-01-31T08:00:00Z' }, 'from must be before to, and in the past'],
    ['day', { from: '2026-01-31T09:30:00Z' }, 'from must be before to, and in the past'],
  ] as const)('by the %s cannot be %j', (bucket, input, message) => {
    expect(() => spanOf(input, bucket, NOW)).toThrow(message);
  });
});

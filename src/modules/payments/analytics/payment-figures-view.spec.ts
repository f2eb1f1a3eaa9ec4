import { describe, expect, it } from '@jest/globals';
import type { FiguresRow } from './payment-figures.repository.js';
import { figuresView, rateOf } from './payment-figures-view.js';

const ROW: FiguresRow = {
  at: new Date('2026-01-31T09:00:00Z'),
  provider: 'stripe',
  currency: 'USD',
  created: '24',
  succeeded: '20',
  failed: '1',
  canceled: '2',
  declined: '3',
  refunds: '4',
  returned_refunds: '5',
  disputes: '6',
  volume: '9007199254740993',
  refunded_volume: '8',
  returned_volume: '9',
  withdrawn_volume: '10',
  reinstated_volume: '11',
};

describe('the figures of a bucket', () => {
  it('are shown under their names, exact beyond 2^53', () => {
    expect(figuresView(ROW)).toEqual({
      at: '2026-01-31T09:00:00.000Z',
      provider: 'stripe',
      currency: 'USD',
      created: 24,
      succeeded: 20,
      failed: 1,
      canceled: 2,
      declined: 3,
      volume: 9_007_199_254_740_993n,
      refunds: 4,
      refundedVolume: 8,
      returnedRefunds: 5,
      returnedVolume: 9,
      disputes: 6,
      withdrawnVolume: 10,
      reinstatedVolume: 11,
      successRate: 0.9524,
      refundRate: 0.2,
      disputeRate: 0.3,
    });
  });

  it('have no rate of nothing', () => {
    const rates = { successRate: null, refundRate: null, disputeRate: null };
    expect(figuresView({ ...ROW, succeeded: '0', failed: '0' })).toMatchObject(rates);
    expect(figuresView({ ...ROW, succeeded: '0' })).toMatchObject({ ...rates, successRate: 0 });
  });

  it.each([
    [1n, 3n, 0.3333],
    [2n, 3n, 0.6667],
    [1n, 20_000n, 0.0001],
    [1n, 20_001n, 0],
    [3n, 2n, 1.5],
    [0n, 7n, 0],
  ])('%s of %s is %s, to four digits', (part, whole, rate) => {
    expect(rateOf(part, whole)).toBe(rate);
  });
});

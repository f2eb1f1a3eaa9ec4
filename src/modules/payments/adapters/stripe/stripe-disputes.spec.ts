import { describe, expect, it } from '@jest/globals';
import { Money } from '../../../../kernel/money.js';
import { OutcomeUnknownError } from '../../providers/payment-provider.js';
import { disputeReportOf, type StripeDispute } from './stripe-disputes.js';

const DISPUTE: StripeDispute = {
  id: 'dp_1',
  object: 'dispute',
  status: 'needs_response',
  reason: 'fraudulent',
  amount: 1000,
  currency: 'usd',
  created: 1_700_000_000,
  balance_transactions: [],
};

const moved = (id: string, amount: number, currency = 'usd') => ({ id, amount, currency, type: 'adjustment' as const });

describe('disputeReportOf', () => {
  it.each([
    ['warning_needs_response', 'inquiry'],
    ['warning_under_review', 'inquiry'],
    ['warning_closed', 'closed'],
    ['needs_response', 'open'],
    ['under_review', 'open'],
    ['appeal_needs_response', 'open'],
    ['appeal_under_review', 'open'],
    ['won', 'won'],
    ['lost', 'lost'],
    ['prevented', 'closed'],
    ['something_new', 'open'],
  ] as const)('reads %s as %s, and keeps the word', (word, status) => {
    const report = disputeReportOf({ ...DISPUTE, status: word });
    expect(report).toMatchObject({ status, providerStatus: word, reference: 'dp_1', reason: 'fraudulent' });
  });

  it('reads what moved from its balance transactions', () => {
    const transactions = [moved('txn_1', -1000), moved('txn_2', 400), moved('txn_3', 0)];
    expect(disputeReportOf({ ...DISPUTE, balance_transactions: transactions })).toMatchObject({
      amount: Money.of(1000, 'USD'),
      movements: [
        { key: 'txn_1', kind: 'withdrawn', amount: Money.of(1000, 'USD') },
        { key: 'txn_2', kind: 'reinstated', amount: Money.of(400, 'USD') },
      ],
    });
  });

  it('leaves out a fee that has a transaction of its own', () => {
    const fee = { ...moved('txn_2', -1500), type: 'stripe_fee' as const };
    const { movements } = disputeReportOf({ ...DISPUTE, balance_transactions: [moved('txn_1', -900), fee] });
    expect(movements).toEqual([{ key: 'txn_1', kind: 'withdrawn', amount: Money.of(900, 'USD') }]);
  });

  it('books in the currency of the dispute what an account in another one shows', () => {
    const transactions = [moved('txn_1', -920, 'eur'), moved('txn_2', 460, 'eur'), moved('txn_3', 930, 'eur')];
    const { movements } = disputeReportOf({ ...DISPUTE, balance_transactions: transactions });
    expect(movements.map(({ amount }) => amount)).toEqual([
      Money.of(1000, 'USD'),
      Money.of(500, 'USD'),
      Money.of(1000, 'USD'),
    ]);
  });

  it.each([{ object: 'charge' }, { id: undefined }, { balance_transactions: undefined }, { currency: 'xxx' }])(
    'does not understand %j',
    (odd) => {
      expect(() => disputeReportOf({ ...DISPUTE, ...odd } as unknown as StripeDispute)).toThrow(OutcomeUnknownError);
    },
  );
});

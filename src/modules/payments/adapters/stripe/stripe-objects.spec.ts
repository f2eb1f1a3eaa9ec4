import { describe, expect, it } from '@jest/globals';
import { Money } from '../../../../kernel/money.js';
import { OutcomeUnknownError } from '../../providers/payment-provider.js';
import {
  chargeReportOf,
  providerRefundOf,
  refundReportOf,
  type StripeIntent,
  type StripeRefund,
} from './stripe-objects.js';

const INTENT: StripeIntent = {
  id: 'pi_1',
  object: 'payment_intent',
  status: 'succeeded',
  livemode: false,
  amount_received: 1000,
  currency: 'usd',
  client_secret: 'pi_1_secret_2',
  metadata: {},
  last_payment_error: null,
  next_action: null,
};

const REFUND: StripeRefund = {
  id: 're_1',
  object: 'refund',
  balance_transaction: 'txn_1',
  reason: null,
  status: 'succeeded',
  amount: 1000,
  currency: 'usd',
  metadata: {},
  payment_intent: 'pi_1',
};

const DECLINED = { code: 'card_declined', decline_code: 'insufficient_funds', message: 'Your card was declined.' };

describe('a PaymentIntent', () => {
  it.each([
    ['requires_payment_method', 'requires_action'],
    ['requires_confirmation', 'requires_action'],
    ['requires_action', 'requires_action'],
    ['processing', 'processing'],
    ['requires_capture', 'requires_capture'],
    ['succeeded', 'succeeded'],
    ['canceled', 'canceled'],
  ])('that is %s is a charge that is %s', (status, expected) => {
    expect(chargeReportOf({ ...INTENT, status }).status).toBe(expected);
  });

  it('that waits for another means of payment has failed, in the words of Stripe and the bank', () => {
    const report = chargeReportOf({ ...INTENT, status: 'requires_payment_method', last_payment_error: DECLINED });
    expect(report).toMatchObject({
      status: 'failed',
      failure: { code: 'card_declined', declineCode: 'insufficient_funds', message: 'Your card was declined.' },
    });
    expect(report).not.toHaveProperty('clientSecret');
  });

  it('that went on after a decline has not failed', () => {
    const report = chargeReportOf({ ...INTENT, status: 'requires_action', last_payment_error: DECLINED });
    expect(report).toMatchObject({ status: 'requires_action' });
    expect(report).not.toHaveProperty('failure');
  });

  it.each([
    ['usd', 1010, '10.10'],
    ['jpy', 1000, '1000'],
    ['isk', 50_000, '500'],
    ['ugx', 300_000, '3000'],
    ['mga', 500, '500.00'],
    ['kwd', 12_340, '12.340'],
  ])('in %s has received %d, which is %s', (currency, amount_received, decimal) => {
    const { received } = chargeReportOf({ ...INTENT, currency, amount_received });
    expect([received.toDecimal(), received.currency]).toEqual([decimal, currency.toUpperCase()]);
  });

  it.each([
    [false, 'test'],
    [true, 'live'],
  ])('whose livemode is %s was made in %s mode', (livemode, mode) => {
    expect(chargeReportOf({ ...INTENT, livemode }).mode).toBe(mode);
  });

  it.each(['requires_payment_method', 'requires_confirmation', 'requires_action'])(
    'that is %s shows its secret to who has to go on',
    (status) => {
      expect(chargeReportOf({ ...INTENT, status })).toHaveProperty('clientSecret', 'pi_1_secret_2');
    },
  );

  it.each(['processing', 'requires_capture', 'succeeded', 'canceled'])('that is %s shows no secret', (status) => {
    expect(chargeReportOf({ ...INTENT, status })).not.toHaveProperty('clientSecret');
  });

  it('names the page that the customer is sent to', () => {
    const next_action = { redirect_to_url: { url: 'https://bank.example/3ds', return_url: null } };
    const report = chargeReportOf({ ...INTENT, status: 'requires_action', next_action });
    expect(report).toHaveProperty('authorizationUrl', 'https://bank.example/3ds');
  });

  it.each<[string, object]>([
    ['a status of the future', { status: 'requires_patience' }],
    ['another object', { object: 'charge' }],
    ['no id', { id: undefined }],
    ['a currency nobody knows', { currency: 'xxq' }],
  ])('with %s leaves the outcome unknown', (_, odd) => {
    expect(() => chargeReportOf({ ...INTENT, ...odd })).toThrow(OutcomeUnknownError);
  });

  it('finer than the currency is not rounded', () => {
    expect(() => chargeReportOf({ ...INTENT, currency: 'isk', amount_received: 50_001 })).toThrow('no whole number');
  });
});

describe('a Refund', () => {
  it.each(['pending', 'requires_action', 'succeeded', 'canceled'])('that is %s is that', (status) => {
    expect(refundReportOf({ ...REFUND, status })).toEqual({
      reference: 're_1',
      status,
      amount: Money.of(1000, 'USD'),
    });
  });

  it('that failed says why', () => {
    const report = refundReportOf({ ...REFUND, status: 'failed', failure_reason: 'expired_or_canceled_card' });
    expect(report).toMatchObject({ status: 'failed', failure: { code: 'expired_or_canceled_card' } });
  });

  it.each<[string, object]>([
    ['no status', { status: null }],
    ['a status of the future', { status: 'in_orbit' }],
    ['another object', { object: 'charge' }],
  ])('with %s leaves the outcome unknown', (_, odd) => {
    expect(() => refundReportOf({ ...REFUND, ...odd })).toThrow(OutcomeUnknownError);
  });
});

describe('providerRefundOf', () => {
  it('says for which refund of ours it was made, if for one', () => {
    expect(providerRefundOf(REFUND)).toMatchObject({ reference: 're_1', status: 'succeeded', ours: undefined });
    const ours = '01a22e63-7e8f-733d-af72-90ce98c9b0f7';
    expect(providerRefundOf({ ...REFUND, metadata: { holdfast_refund: ours } })).toMatchObject({ ours });
    expect(providerRefundOf({ ...REFUND, metadata: { holdfast_refund: 'anything' } })).toMatchObject({
      ours: undefined,
    });
  });

  it.each([{ balance_transaction: null }, { reason: 'expired_uncaptured_charge' }] as const)(
    'is none of what was never in the balance: %j',
    (released) => {
      expect(providerRefundOf({ ...REFUND, ...released })).toBeUndefined();
    },
  );
});

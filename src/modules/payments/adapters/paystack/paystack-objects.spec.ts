import { describe, expect, it } from '@jest/globals';
import { parseExactJson } from '../../../../kernel/exact-json.js';
import { Money } from '../../../../kernel/money.js';
import { chargeReportOf, refundReportOf, UnreadableObjectError } from './paystack-objects.js';

const REFERENCE = 'hf-0198f1a2-0000-7000-8000-000000000001';

/** A transaction as Paystack shows it, read from JSON as ours is. */
function transaction(differences: object = {}) {
  return parseExactJson(
    JSON.stringify({
      id: 4_099_260_516,
      domain: 'test',
      status: 'success',
      reference: REFERENCE,
      amount: 40_333,
      gateway_response: 'Successful',
      currency: 'NGN',
      metadata: '',
      ...differences,
    }),
  );
}

const chargeOf = (differences: object) => chargeReportOf(transaction(differences), REFERENCE);

describe('a transaction', () => {
  it.each([
    ['success', 'succeeded'],
    ['failed', 'failed'],
    ['reversed', 'failed'],
    ['abandoned', 'requires_action'],
    ['ongoing', 'requires_action'],
    ['pending', 'processing'],
    ['processing', 'processing'],
    ['queued', 'processing'],
    ['a status of next year', 'processing'],
  ])('that is %s is a charge that is %s', (status, expected) => {
    expect(chargeOf({ status })).toMatchObject({ reference: REFERENCE, status: expected, mode: 'test' });
  });

  it.each([
    ['all of it', { amount: 40_333 }, 40_333n],
    ['without the fee that the customer paid', { amount: 41_000, requested_amount: 40_333 }, 40_333n],
    ['no more than was paid', { amount: 100, requested_amount: 40_333 }, 100n],
    ['what texts say', { amount: '41000', requested_amount: '40333' }, 40_333n],
    ['all where nothing was asked for', { amount: 500, requested_amount: null }, 500n],
    ['the last kobo of a large one', { amount: 9_007_199_254_740_991 }, 9_007_199_254_740_991n],
  ])('that succeeded has brought %s', (_, amounts, minor) => {
    expect(chargeOf(amounts).received).toEqual(Money.of(minor, 'NGN'));
  });

  it.each(['abandoned', 'failed', 'reversed', 'pending'])('that is %s has brought nothing', (status) => {
    expect(chargeOf({ status }).received).toEqual(Money.of(0, 'NGN'));
  });

  it('is of the mode that its domain says', () => {
    expect(chargeOf({ domain: 'live' }).mode).toBe('live');
  });

  it('says why it failed, in the words of the bank', () => {
    const failed = chargeOf({ status: 'failed', gateway_response: 'Insufficient Funds' });
    expect(failed.failure).toEqual({ code: 'charge_failed', message: 'Insufficient Funds' });
    expect(chargeOf({ status: 'failed', gateway_response: null }).failure).toMatchObject({ code: 'charge_failed' });
    expect(chargeOf({ status: 'reversed' }).failure).toMatchObject({ code: 'reversed' });
  });

  it.each<[string, object]>([
    ['of another reference', { reference: 'T1' }],
    ['of no reference', { reference: null }],
    ['with half a kobo', { amount: 40_333.5 }],
    ['with a negative amount', { amount: -1 }],
    ['with an amount in words', { amount: 'much' }],
    ['with a requested amount that is none', { requested_amount: '' }],
    ['in a currency that Paystack does not have', { currency: 'EUR' }],
    ['in a currency that nobody has', { currency: 'ngn' }],
    ['of no domain', { domain: '' }],
    ['without a status', { status: true }],
  ])('%s is not read', (_, differences) => {
    expect(() => chargeOf(differences)).toThrow(UnreadableObjectError);
  });

  it.each([undefined, null, '', [], 7])('that is %j is not read', (nothing) => {
    expect(() => chargeReportOf(nothing, REFERENCE)).toThrow(UnreadableObjectError);
  });
});

describe('a refund', () => {
  const asked = Money.of(10_000, 'NGN');
  const refundOf = (differences: object) =>
    refundReportOf(
      parseExactJson(JSON.stringify({ id: 3017, amount: 10_000, currency: 'NGN', status: 'pending', ...differences })),
      asked,
    );

  it.each([
    ['pending', 'pending'],
    ['processing', 'pending'],
    ['processed', 'succeeded'],
    ['failed', 'failed'],
    ['needs-attention', 'requires_action'],
    ['a status of next year', 'pending'],
  ])('that is %s is %s', (status, expected) => {
    expect(refundOf({ status })).toMatchObject({ reference: '3017', status: expected, amount: asked });
  });

  it('is read when its amount is a text', () => {
    expect(refundOf({ amount: '10000' }).amount).toEqual(asked);
  });

  it.each([{ amount: 9999 }, { currency: 'GHS' }, { id: null }, { id: 1.5 }])('is not read with %j', (differences) => {
    expect(() => refundOf(differences)).toThrow(UnreadableObjectError);
  });
});

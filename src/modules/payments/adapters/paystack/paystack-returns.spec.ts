import { describe, expect, it } from '@jest/globals';
import { isJsonObject, type JsonObject, parseExactJson } from '../../../../kernel/exact-json.js';
import { newId } from '../../../../kernel/ids.js';
import { UnreadableObjectError } from './paystack-objects.js';
import { refundNote } from './paystack-reference.js';
import { returnsOf } from './paystack-returns.js';

const TRANSACTION = '4099260516';
const [BEFORE, OPENED, AFTER] = ['2026-01-01T00:00:00.000Z', '2026-01-02T00:00:00.000Z', '2026-01-03T00:00:00.000Z'];

/** As Paystack's JSON is read. */
function read(value: object): JsonObject {
  const json = parseExactJson(JSON.stringify(value));
  if (!isJsonObject(json)) throw new TypeError('It is no object');
  return json;
}

const refund = (differences: object = {}) =>
  read({
    id: 1,
    transaction: Number(TRANSACTION),
    dispute: null,
    amount: '2500',
    currency: 'NGN',
    status: 'processed',
    merchant_note: null,
    createdAt: AFTER,
    ...differences,
  });

const dispute = (differences: object = {}) =>
  read({
    id: 2867,
    transaction: { id: Number(TRANSACTION), amount: 10_150, requested_amount: 10_000, currency: 'NGN' },
    status: 'resolved',
    resolution: 'merchant-accepted',
    refund_amount: 2500,
    currency: null,
    category: 'fraud',
    createdAt: OPENED,
    ...differences,
  });

const disputeOf = (differences: object) => returnsOf(TRANSACTION, [], [dispute(differences)]).disputes[0];

describe('a dispute at Paystack', () => {
  it.each([
    ['awaiting-merchant-feedback', null, 'open'],
    ['awaiting-bank-feedback', null, 'open'],
    ['pending', null, 'open'],
    ['archived', null, 'closed'],
    ['resolved', 'declined', 'won'],
    ['resolved', 'merchant-accepted', 'lost'],
    ['resolved', 'auto-accepted', 'lost'],
    ['resolved', null, 'open'],
    ['resolved', 'as never before', 'open'],
    ['a status of next year', null, 'open'],
  ] as const)('that is %s (%s) is %s', (status, resolution, expected) => {
    expect(disputeOf({ status, resolution })).toMatchObject({
      status: expected,
      providerStatus: resolution === null ? status : `${status} (${resolution})`,
      movements: expected === 'lost' ? [{ kind: 'withdrawn', amount: { minor: 2500n } }] : [],
    });
  });

  it('is about what was asked for as long as no amount is named', () => {
    expect(disputeOf({ refund_amount: null, status: 'pending', resolution: null })).toMatchObject({
      reference: '2867',
      reason: 'fraud',
      amount: { minor: 10_000n, currency: 'NGN' },
      openedAt: new Date(OPENED),
    });
  });

  it('moves nothing when nothing is given back', () => {
    expect(disputeOf({ refund_amount: 0 })).toMatchObject({ status: 'lost', movements: [] });
  });

  it('and a refund of another transaction are left out', () => {
    const others = [dispute({ transaction: { id: 1, amount: 1, currency: 'NGN' } })];
    expect(returnsOf(TRANSACTION, [refund({ transaction: { id: 1 } })], others)).toEqual({ refunds: [], disputes: [] });
  });

  it('that cannot be read is refused', () => {
    expect(() => disputeOf({ id: null })).toThrow(UnreadableObjectError);
    expect(() => disputeOf({ refund_amount: 'some' })).toThrow(UnreadableObjectError);
  });
});

describe('a refund', () => {
  it('of ours is known by its note', () => {
    const id = newId();
    const { refunds } = returnsOf(TRANSACTION, [refund({ merchant_note: refundNote(id) }), refund({ id: 2 })], []);
    expect(refunds).toMatchObject([
      { reference: '1', ours: id },
      { reference: '2', ours: undefined },
    ]);
  });

  it.each<[string, object, object, boolean]>([
    ['names it', { dispute: 2867, amount: 2000 }, {}, true],
    ['names it, which is open', { dispute: { id: 2867 } }, { status: 'pending', resolution: null }, true],
    ['names it, which was declined', { dispute: 2867 }, { resolution: 'declined' }, false],
    ['names another', { dispute: 2868 }, {}, false],
    ['names none and is alike', {}, {}, true],
    ['names none and is of another amount', { amount: 2499 }, {}, false],
    ['names none and is older', { createdAt: BEFORE }, {}, false],
    ['names none and has failed', { status: 'failed' }, {}, false],
    ['names none and is ours', { merchant_note: refundNote(newId()) }, {}, false],
    ['names none, of a dispute that is open', {}, { status: 'pending', resolution: null }, false],
  ])('pays a dispute when it %s', (_, ofRefund, ofDispute, pays) => {
    const { refunds, disputes } = returnsOf(TRANSACTION, [refund(ofRefund)], [dispute(ofDispute)]);
    expect(refunds[0]?.paysDispute ?? false).toBe(pays);
    expect(disputes[0]?.paidBy).toBe(pays ? '1' : undefined);
  });

  it('pays one dispute, and another pays the other', () => {
    const disputes = [dispute(), dispute({ id: 2868 })];
    const alone = returnsOf(TRANSACTION, [refund()], disputes);
    expect(alone.disputes.map(({ paidBy }) => paidBy)).toEqual(['1', undefined]);
    const both = returnsOf(TRANSACTION, [refund(), refund({ id: 2 }), refund({ id: 3 })], disputes);
    expect(both.disputes.map(({ paidBy }) => paidBy)).toEqual(['1', '2']);
    expect(both.refunds.map(({ paysDispute }) => paysDispute)).toEqual([true, true, undefined]);
  });
});

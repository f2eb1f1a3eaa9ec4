import { describe, expect, it } from '@jest/globals';
import type { Currency } from '../../../kernel/currency.js';
import { Money } from '../../../kernel/money.js';
import { type Booked, compare, type Compared, type Owner, ownerOf, referenceOf } from './comparison.js';

const PAYMENT = '0198f1a2-0000-7000-8000-000000000001';
const REFUND = '0198f1a2-0000-7000-8000-000000000002';
const DISPUTE = '0198f1a2-0000-7000-8000-000000000003';

const money = (minor: number, currency: Currency = 'USD') => Money.of(minor, currency);
const CHARGE: Compared = {
  id: 'txn_1',
  kind: 'charge',
  amount: money(1000),
  isReversal: false,
  isPending: false,
  isUndone: false,
  isClaimed: true,
};
const GIVEN_BACK: Compared = { ...CHARGE, kind: 'refund', amount: money(-400) };
const SENT_BACK: Compared = { ...GIVEN_BACK, amount: money(400), isReversal: true, isUndone: true };
const DISPUTED: Compared = { ...CHARGE, kind: 'dispute', amount: money(-1000), isClaimed: false };
const REINSTATED: Compared = { ...DISPUTED, kind: 'reinstatement', amount: money(1000) };
const OURS: Owner = { payment: PAYMENT, refund: REFUND, dispute: DISPUTE };
const NOBODY: Owner = { payment: null, refund: null, dispute: null };
const NOTHING: Booked = { own: undefined, hasTakenBack: false };
const booked = (minor: number, currency?: Currency): Booked => ({ own: money(minor, currency), hasTakenBack: true });

describe('compare', () => {
  it.each<[string, Compared, Owner, Booked, string]>([
    ['a charge that is booked', CHARGE, OURS, booked(-1000), 'matched'],
    ['a refund that is booked', GIVEN_BACK, OURS, booked(400), 'matched'],
    ['another amount', CHARGE, OURS, booked(-900), 'amount'],
    ['the same amount on the wrong side', CHARGE, OURS, booked(1000), 'amount'],
    ['another currency', CHARGE, OURS, booked(-1000, 'EUR'), 'currency'],
    ['a charge that is not booked', CHARGE, OURS, NOTHING, 'status'],
    ['a charge under way', { ...CHARGE, isPending: true }, OURS, NOTHING, 'in_transit'],
    ['a charge under way that is booked', { ...CHARGE, isPending: true }, OURS, booked(-1000), 'matched'],
    ['a charge that failed later and was never booked', { ...CHARGE, isUndone: true }, OURS, NOTHING, 'nothing'],
    ['a refund that nobody here asked for', GIVEN_BACK, { ...OURS, refund: null }, NOTHING, 'missing_here'],
    ['a refund that is booked and was sent back', { ...GIVEN_BACK, isUndone: true }, OURS, booked(400), 'matched'],
    ['a refund sent back that was never booked', SENT_BACK, OURS, NOTHING, 'nothing'],
    ['its way back, booked', SENT_BACK, OURS, booked(-400), 'matched'],
    ['its way back, when only its way out is booked', SENT_BACK, OURS, { ...NOTHING, hasTakenBack: true }, 'status'],
    ['what names us and is not here', CHARGE, NOBODY, NOTHING, 'missing_here'],
    ["somebody else's", { ...CHARGE, isClaimed: false }, NOBODY, NOTHING, 'foreign'],
    ['what a dispute took, booked', DISPUTED, OURS, booked(1000), 'matched'],
    ['what a dispute gave back, booked', REINSTATED, OURS, booked(-1000), 'matched'],
    ['another amount of a dispute', DISPUTED, OURS, booked(900), 'amount'],
    ['a dispute that nobody told of', DISPUTED, { ...OURS, dispute: null }, NOTHING, 'missing_here'],
    ['what a dispute that is known took unheard', DISPUTED, OURS, NOTHING, 'status'],
    ["a dispute of somebody else's charge", DISPUTED, NOBODY, NOTHING, 'foreign'],
    ['a fee of the account', { ...CHARGE, kind: 'fee' }, NOBODY, NOTHING, 'uncompared'],
    ['a payout', { ...CHARGE, kind: 'other' }, NOBODY, NOTHING, 'uncompared'],
  ])('%s', (_, movement, owner, what, outcome) => {
    expect(compare(movement, owner, what)).toBe(outcome);
  });

  it('of a charge that the bank took back finds it missing when the charge is booked', () => {
    const takenBack = { ...CHARGE, amount: money(-1000), isReversal: true, isUndone: true };
    expect(compare(takenBack, OURS, { own: undefined, hasTakenBack: true })).toBe('missing_here');
    expect(compare(takenBack, OURS, NOTHING)).toBe('nothing');
  });
});

describe('references', () => {
  it.each([
    [CHARGE, `settle:${PAYMENT}`, { kind: 'charge', id: PAYMENT }],
    [GIVEN_BACK, `refund-paid:${REFUND}`, { kind: 'refund', id: REFUND }],
    [SENT_BACK, `refund-returned:${REFUND}`, { kind: 'refund', id: REFUND }],
    [DISPUTED, `dispute:${DISPUTE}:txn_1`, { kind: 'dispute', id: DISPUTE, key: 'txn_1' }],
    [REINSTATED, `dispute:${DISPUTE}:txn_1`, { kind: 'dispute', id: DISPUTE, key: 'txn_1' }],
    [
      { ...DISPUTED, id: 'dispute:17' },
      `dispute:${DISPUTE}:dispute:17`,
      { kind: 'dispute', id: DISPUTE, key: 'dispute:17' },
    ],
  ])('lead there and back', (movement, reference, owner) => {
    expect(referenceOf(movement, OURS)).toBe(reference);
    expect(ownerOf(reference)).toEqual(owner);
  });

  it('of others lead nowhere', () => {
    expect(ownerOf('order-17')).toBeUndefined();
    expect(ownerOf('settle:order-17')).toBeUndefined();
    expect(ownerOf(`dispute-released:${DISPUTE}:txn_1`)).toBeUndefined();
  });
});

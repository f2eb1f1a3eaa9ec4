import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Money } from '../../../kernel/money.js';
import { changeBy, type ChargeSoFar, mayFollow } from './charge-state.js';
import { CHARGE_STATUSES, type ChargeReport, type ChargeStatus } from '../payment.js';

const ASKED = Money.of(1000, 'USD');
const NOTHING = Money.of(0, 'USD');
const FRESH: ChargeSoFar = { status: 'created', mode: 'test', expected: ASKED, settled: undefined };

type Reported = ChargeReport['status'];
const REPORTED = CHARGE_STATUSES.filter((status): status is Reported => status !== 'created' && status !== 'declined');

function report(status: Reported, received = status === 'succeeded' ? ASKED : NOTHING): ChargeReport {
  return { reference: 'ch_1', status, mode: 'test', received };
}

/** What reports make of a charge, one after the other, and what was booked. */
function after(reports: readonly ChargeReport[], start: ChargeSoFar = FRESH) {
  let soFar = start;
  const settlements = [];
  for (const each of reports) {
    const { status = soFar.status, settlement } = changeBy(each, soFar);
    if (settlement) settlements.push(settlement);
    soFar = { ...soFar, status, settled: settlement?.amount ?? soFar.settled };
  }
  return { status: soFar.status, settlements };
}

const statusAfter = (...statuses: Reported[]) => after(statuses.map((status) => report(status))).status;

describe('a charge', () => {
  it.each(REPORTED)('comes from its creation to %s', (status) => {
    expect(statusAfter(status)).toBe(status);
  });

  it('is booked to the wallet, with what was received, when it succeeds', () => {
    expect(after([report('processing'), report('succeeded')])).toEqual({
      status: 'succeeded',
      settlements: [{ amount: ASKED, to: 'wallet' }],
    });
  });

  it('succeeds after a failure, when the customer paid with another card', () => {
    expect(after([report('failed'), report('succeeded')])).toMatchObject({
      status: 'succeeded',
      settlements: [{ to: 'wallet' }],
    });
  });

  it.each<[Reported, Reported]>([
    ['succeeded', 'failed'],
    ['succeeded', 'canceled'],
    ['succeeded', 'processing'],
    ['succeeded', 'requires_capture'],
    ['canceled', 'processing'],
    ['requires_capture', 'requires_action'],
    ['failed', 'processing'],
  ])('that is %s stays so when old news say %s', (now, late) => {
    expect(statusAfter(now, late)).toBe(now);
  });

  it('that succeeds after it was canceled is booked to suspense, once, and stays canceled', () => {
    expect(after([report('canceled'), report('succeeded'), report('succeeded')])).toEqual({
      status: 'canceled',
      settlements: [{ amount: ASKED, to: 'suspense', review: 'It succeeded after it was canceled' }],
    });
  });

  it('that a rule holds back is booked to suspense when it succeeds all the same', () => {
    const held: ChargeSoFar = { ...FRESH, status: 'requires_capture', heldFor: 'A rule holds it back' };
    expect(changeBy(report('succeeded'), held)).toEqual({
      status: 'succeeded',
      settlement: { amount: ASKED, to: 'suspense', review: 'A rule holds it back' },
    });
  });

  it('that a rule declined and that succeeds all the same is booked to suspense', () => {
    expect(after([report('succeeded')], { ...FRESH, status: 'declined' })).toEqual({
      status: 'declined',
      settlements: [{ amount: ASKED, to: 'suspense', review: 'It succeeded after it was declined' }],
    });
  });

  it.each([
    ['less money', { received: Money.of(999, 'USD') }, '9.99 USD was received instead of 10.00 USD'],
    ['more money', { received: Money.of(1001, 'USD') }, '10.01 USD was received instead of 10.00 USD'],
    ['other money', { received: Money.of(1000, 'JPY') }, '1000 JPY was received instead of 10.00 USD'],
    ['real money', { mode: 'live' as const }, 'It was asked for in test mode and received in live mode'],
  ])('that brings %s is booked to suspense, with the reason', (_what, news, review) => {
    const { settlements } = after([{ ...report('succeeded'), ...news }]);
    expect(settlements).toEqual([{ amount: 'received' in news ? news.received : ASKED, to: 'suspense', review }]);
  });
});

describe('reports in any order, any number of times', () => {
  /** What a provider says of a charge in its life, oldest first. */
  const LIVES: readonly (readonly Reported[])[] = [
    ['processing', 'succeeded'],
    ['requires_action', 'processing', 'succeeded'],
    ['requires_action', 'requires_capture', 'succeeded'],
    ['failed', 'succeeded'],
    ['requires_action', 'failed'],
    ['requires_capture', 'canceled'],
    ['processing', 'canceled'],
  ];
  const shuffled = fc
    .constantFrom(...LIVES)
    .chain((life) =>
      fc
        .tuple(fc.shuffledSubarray([...life, ...life], { minLength: life.length }), fc.constant(life))
        .filter(([seen]) => life.every((status) => seen.includes(status))),
    );

  it('end as they would have in order, and book once', () => {
    fc.assert(
      fc.property(shuffled, ([seen, life]) => {
        const inOrder = after(life.map((status) => report(status)));
        const outOfOrder = after(seen.map((status) => report(status)));
        expect(outOfOrder).toEqual(inOrder);
        expect(outOfOrder.settlements.length).toBeLessThanOrEqual(1);
      }),
      { numRuns: 2000 },
    );
  });

  it('never lead out of a status that nothing may follow', () => {
    const final = CHARGE_STATUSES.filter((from) => CHARGE_STATUSES.every((to) => !mayFollow(from, to)));
    expect(final).toEqual(['succeeded', 'canceled', 'declined'] satisfies ChargeStatus[]);
  });
});

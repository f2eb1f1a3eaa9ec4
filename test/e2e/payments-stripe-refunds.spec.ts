import { describe, expect, it } from '@jest/globals';
import type { Shown } from '../support/payments-client.js';
import { stripeUnderTest } from '../support/stripe-under-test.js';
import { waitFor } from '../support/wait-for.js';

const under = await stripeUnderTest();
const { holdfast, api, paid, heard, deliver, untilProcessed } = under;
const { state } = api;

const intentOf = (of: Shown): string => String(of['providerReference']);
const fundsOf = (of: Shown) => under.client.fundsOf(of['userId']);
const debtOf = async (of: Shown) => (await under.wallet.balanceOf(String(of['userId'])))['debt'];
const verify = (of: Shown) => under.client.post(`payments/${String(of['id'])}/verify`);

/** What Stripe has told so far of a payment's refunds, in its charge as well. */
function told(of: Shown): Record<string, unknown>[] {
  return state.eventsOf(intentOf(of)).filter(({ type }) => String(type).includes('refund'));
}

describe("a refund in Stripe's dashboard", () => {
  it('is adopted once, whatever the order and number of events, and whoever asks meanwhile', async () => {
    const made = await paid(1000);
    const refund = state.refundInDashboard(intentOf(made), 300);
    const events = told(made);
    expect(events.map(({ type }) => type)).toEqual(['charge.refunded', 'refund.created']);
    const again = events.map((event) => ({ ...event, id: `${String(event['id'])}again` }));
    const [ids] = await Promise.all([
      deliver([...events.toReversed(), ...again, ...events]),
      ...Array.from({ length: 3 }, () => verify(made)),
    ]);
    await untilProcessed(ids);
    await heard([]);
    expect(await under.client.find(made['id'])).toMatchObject({
      refundedAmount: 300,
      refundableAmount: 700,
      refunds: [{ origin: 'provider', providerReference: refund.id, amount: 300, status: 'succeeded' }],
    });
    expect(await fundsOf(made)).toBe(700);
  });

  it.each([
    ['by verifying', (made: Shown) => verify(made)],
    ['by the doorbell of its charge', (made: Shown) => heard(told(made).slice(0, 1))],
  ])('is found %s', async (_, look) => {
    const made = await paid(1000);
    state.refundInDashboard(intentOf(made), 1000);
    await look(made);
    await heard([]);
    expect(await under.client.find(made['id'])).toMatchObject({ refundedAmount: 1000, refundableAmount: 0 });
    expect(await fundsOf(made)).toBe(0);
  });

  it('is two when there are two alike', async () => {
    const made = await paid(1000);
    for (const amount of [250, 250]) state.refundInDashboard(intentOf(made), amount);
    await heard(told(made).toReversed());
    expect(await under.client.find(made['id'])).toMatchObject({ refundedAmount: 500, refunds: [{}, {}] });
    expect(await fundsOf(made)).toBe(500);
  });

  it('of money that is spent leaves a debt, which the next payment repays first', async () => {
    const made = await paid(1000);
    const { userId } = made;
    await under.wallet.post('transactions', { userId, type: 'DEBIT', amount: 900, currency: 'USD' });
    state.refundInDashboard(intentOf(made), 1000);
    await heard(told(made));
    expect([await fundsOf(made), await debtOf(made)]).toEqual([0, 900]);
    await paid(950, { userId });
    expect([await fundsOf(made), await debtOf(made)]).toEqual([50, 0]);
  });

  it('comes back once when the bank sends it back, in any order', async () => {
    const [later, sooner] = [await paid(1000), await paid(1000)];
    for (const made of [later, sooner]) {
      const { id } = state.refundInDashboard(intentOf(made), 400);
      if (made === later) {
        await heard(told(made));
        expect(await fundsOf(made)).toBe(600);
      }
      state.failRefund(id);
    }
    await heard([...told(later), ...told(later).toReversed(), ...told(sooner).toReversed(), ...told(sooner)]);
    for (const made of [later, sooner]) {
      expect(await under.client.find(made['id'])).toMatchObject({
        refundedAmount: 0,
        refundableAmount: 1000,
        review: null,
        refunds: [{ origin: 'provider', status: 'failed', failure: { code: 'expired_or_canceled_card' } }],
      });
      expect(await fundsOf(made)).toBe(1000);
    }
  });

  it.each([
    ['in order', (events: Shown[]) => events],
    ['the other way round', (events: Shown[]) => events.toReversed()],
  ])('may be heard of before the success, %s', async (_, order) => {
    const { body } = await under.take(1000);
    await holdfast.sql(`UPDATE payments SET next_check_at = now() + interval '1 hour' WHERE id = $1`, [body['id']]);
    state.pay(intentOf(body));
    state.refundInDashboard(intentOf(body), 300);
    const success = state.eventsOf(intentOf(body)).filter(({ type }) => type === 'payment_intent.succeeded');
    await heard([...order(told(body)), ...success]);
    expect(await under.client.find(body['id'])).toMatchObject({ refundedAmount: 300, capturedAmount: 1000 });
    expect(await fundsOf(body)).toBe(700);
  });

  it('is not taken for one when it is ours and its answer was lost', async () => {
    const made = await paid(1000);
    api.failNext('refund', 'resetAfter', (params) => params['payment_intent'] === intentOf(made));
    const answer = await under.client.post(`payments/${String(made['id'])}/refunds`, { amount: 400 });
    expect(answer).toMatchObject({ status: 202, body: { status: 'unknown' } });
    // One of the same amount in the dashboard: only one of the two is ours.
    state.refundInDashboard(intentOf(made), 400);
    await heard(told(made).toReversed());
    const { refunds, refundedAmount } = await under.client.find(made['id']);
    expect(refundedAmount).toBe(800);
    expect((refunds as Shown[]).map(({ origin }) => origin)).toEqual(['api', 'provider']);
    expect(await fundsOf(made)).toBe(200);
  });

  it('waits until it is known what became of a call of ours', async () => {
    const made = await paid(1000);
    api.failNext('refund', 'hang', (params) => params['payment_intent'] === intentOf(made));
    const answer = under.client.post(`payments/${String(made['id'])}/refunds`, { amount: 400 });
    await waitFor(() => api.callsOf('refund', ({ params }) => params['payment_intent'] === intentOf(made)).length > 0);
    // Checks would ask about the call at once: it is asked about later.
    const later = `UPDATE payments SET next_check_at = now() + interval '1 hour' WHERE id = $1`;
    state.refundInDashboard(intentOf(made), 100);
    const foreign = told(made)
      .filter(({ type }) => type === 'refund.created')
      .slice(-1);
    await untilProcessed(await deliver(foreign));
    await holdfast.sql(later, [made['id']]);
    await answer;
    await under.age(made['id'], 0.1);
    await heard([]);
    const { refunds } = await under.client.find(made['id']);
    expect((refunds as Shown[]).map(({ origin, amount }) => [origin, amount])).toEqual([
      ['api', 400],
      ['provider', 100],
    ]);
    expect(await fundsOf(made)).toBe(500);
  });
});

describe('what shows as a refund at Stripe and is none', () => {
  it('debits nobody: the rest of a capture in part', async () => {
    const made = await paid(1000, { capture: 'manual' });
    await under.client.post(`payments/${String(made['id'])}/capture`, { amount: 600 });
    expect([...state.refunds.values()].filter((each) => each.payment_intent === intentOf(made))).toHaveLength(1);
    await heard(told(made));
    await verify(made);
    expect(await under.client.find(made['id'])).toMatchObject({
      refundedAmount: 0,
      refundableAmount: 600,
      refunds: [],
    });
    state.refundInDashboard(intentOf(made), 600);
    await heard(told(made));
    expect(await under.client.find(made['id'])).toMatchObject({ refundedAmount: 600, refunds: [{ amount: 600 }] });
    expect(await fundsOf(made)).toBe(0);
  });

  it.each([
    ['that was canceled', null],
    ['that ran out', 'automatic'],
  ])('debits nobody: an authorisation %s', async (_, reason) => {
    const made = await paid(1000, { capture: 'manual' });
    state.cancel(intentOf(made), { cancellation_reason: reason });
    await heard(state.eventsOf(intentOf(made)).toReversed());
    await verify(made);
    expect(await under.client.find(made['id'])).toMatchObject({ status: 'canceled', refunds: [] });
    expect([await fundsOf(made), await debtOf(made)]).toEqual([0, 0]);
  });

  it('debits nobody: a refund of another charge that names our payment', async () => {
    const [ours, other] = [await paid(1000), await paid(1000)];
    const refund = state.refundInDashboard(intentOf(other), 200);
    refund.metadata = { holdfast_payment: String(ours['id']) };
    await heard([state.tell('refund.updated', refund)]);
    expect(await under.client.find(ours['id'])).toMatchObject({ refunds: [] });
    await verify(other);
    expect([await fundsOf(ours), await fundsOf(other)]).toEqual([1000, 800]);
  });
});

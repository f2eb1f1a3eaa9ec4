import { describe, expect, it } from '@jest/globals';
import { expectProblem } from '../support/http-answer.js';
import type { Shown } from '../support/payments-client.js';
import { stripeUnderTest } from '../support/stripe-under-test.js';
import { userToken } from '../support/user-token.js';
import { newUserId } from '../support/wallet-client.js';

const under = await stripeUnderTest();
const { holdfast, api, paid, heard, deliver, untilProcessed } = under;
const { state } = api;

const refund = (of: Shown, amount?: number) =>
  under.client.post(`payments/${String(of['id'])}/refunds`, amount === undefined ? {} : { amount });

const fundsOf = (of: Shown) => under.client.fundsOf(of['userId']);

/** The Stripe side of a payment: its PaymentIntent's id. */
const intentOf = (of: Shown): string => String(of['providerReference']);

/** What Stripe has told so far of a payment's disputes. */
function told(of: Shown): Record<string, unknown>[] {
  return state.eventsOf(intentOf(of)).filter(({ type }) => String(type).startsWith('charge.dispute.'));
}

async function detailOf(of: Shown): Promise<Shown> {
  const [dispute] = (await under.client.find(of['id']))['disputes'] as Shown[];
  const { status, body } = await holdfast.call('GET', `/api/disputes/${String(dispute?.['id'])}`);
  expect(status).toBe(200);
  return body;
}

async function debtOf(of: Shown): Promise<unknown> {
  return (await under.wallet.balanceOf(String(of['userId'])))['debt'];
}

/** A customer's bank takes all of it, or a part, and charges 15 dollars for that. */
function withdrawn(of: Shown, amount?: number) {
  const dispute = state.dispute(intentOf(of), amount === undefined ? {} : { amount });
  state.moveFunds(dispute, -dispute.amount, { fee: 1500 });
  return dispute;
}

describe('a dispute', () => {
  it('that only asks moves nothing, and the payment can be refunded', async () => {
    const made = await paid(1000);
    const dispute = state.dispute(intentOf(made), { status: 'warning_needs_response' });
    await heard(told(made));
    expect(await under.client.find(made['id'])).toMatchObject({
      disputedAmount: 0,
      refundableAmount: 1000,
      disputes: [{ status: 'inquiry', providerStatus: 'warning_needs_response', amount: 1000, withdrawnAmount: 0 }],
    });
    expect(await refund(made, 1000)).toMatchObject({ status: 201, body: { status: 'succeeded' } });
    state.moveDispute(dispute, 'warning_closed');
    await heard(told(made));
    expect(await detailOf(made)).toMatchObject({
      status: 'closed',
      closedAt: expect.any(String),
      movements: [],
      payment: { id: made['id'], refundedAmount: 1000 },
    });
    expect(await fundsOf(made)).toBe(0);
  });

  it('takes what is disputed from the wallet, without the fee, once', async () => {
    const made = await paid(1000);
    const dispute = withdrawn(made);
    await heard([...told(made), ...told(made)]);
    const [movement] = dispute.balance_transactions;
    expect(await detailOf(made)).toMatchObject({
      provider: 'stripe',
      providerReference: dispute.id,
      status: 'open',
      reason: 'fraudulent',
      amount: 1000,
      withdrawnAmount: 1000,
      reinstatedAmount: 0,
      closedAt: null,
      payment: { disputedAmount: 1000, refundableAmount: 0, settledTo: 'wallet' },
      movements: [{ kind: 'withdrawn', amount: 1000, account: 'wallet', providerReference: movement?.id }],
    });
    expect(await fundsOf(made)).toBe(0);
  });

  it('forbids the refund of its part while it is open', async () => {
    const made = await paid(1000);
    const dispute = withdrawn(made, 400);
    await heard(told(made));
    expect(await under.client.find(made['id'])).toMatchObject({ disputedAmount: 400, refundableAmount: 600 });
    expectProblem(await refund(made, 700), 409, 'PAYMENT_DISPUTED');
    expectProblem(await refund(made, 1001), 409, 'REFUND_EXCEEDS_CAPTURED');
    expect(await refund(made, 600)).toMatchObject({ status: 201 });
    expectProblem(await refund(made), 409, 'PAYMENT_DISPUTED');
    state.moveDispute(dispute, 'lost');
    await heard(told(made));
    expectProblem(await refund(made), 409, 'REFUND_EXCEEDS_CAPTURED');
    expect(await fundsOf(made)).toBe(0);
  });

  it('claims what it has not taken yet', async () => {
    const made = await paid(1000);
    state.dispute(intentOf(made));
    await heard(told(made));
    expect(await under.client.find(made['id'])).toMatchObject({ disputedAmount: 0, refundableAmount: 0 });
    expectProblem(await refund(made), 409, 'PAYMENT_DISPUTED');
    expect(await fundsOf(made)).toBe(1000);
  });

  it('of money that is spent leaves a debt, which the next payment repays first', async () => {
    const made = await paid(1000);
    const { userId } = made;
    await under.wallet.post('transactions', { userId, type: 'DEBIT', amount: 700, currency: 'USD' });
    withdrawn(made);
    await heard(told(made));
    expect([await fundsOf(made), await debtOf(made)]).toEqual([0, 700]);
    await paid(500, { userId });
    expect([await fundsOf(made), await debtOf(made)]).toEqual([0, 200]);
    await paid(500, { userId });
    expect([await fundsOf(made), await debtOf(made)]).toEqual([300, 0]);
  });

  it.each([
    ['whole', 1000, 'won'],
    ['in part', 350, 'lost'],
  ] as const)('gives money back %s', async (_, amount, status) => {
    const made = await paid(1000);
    const dispute = withdrawn(made);
    state.moveDispute(dispute, status);
    state.moveFunds(dispute, amount);
    await heard(told(made));
    expect(await detailOf(made)).toMatchObject({ status, withdrawnAmount: 1000, reinstatedAmount: amount });
    expect(await under.client.find(made['id'])).toMatchObject({
      disputedAmount: 1000 - amount,
      refundableAmount: amount,
    });
    expect(await fundsOf(made)).toBe(amount);
    expect(await refund(made, amount)).toMatchObject({ status: 201 });
  });

  it('can come a second time, and be won in an appeal', async () => {
    const made = await paid(1000);
    const first = withdrawn(made);
    state.moveDispute(first, 'won');
    state.moveFunds(first, 1000);
    const second = withdrawn(made, 600);
    state.moveDispute(second, 'lost');
    await heard(told(made));
    const lost = await under.client.find(made['id']);
    expect(lost).toMatchObject({
      disputedAmount: 600,
      disputes: [
        { status: 'won', withdrawnAmount: 1000, reinstatedAmount: 1000 },
        { status: 'lost', withdrawnAmount: 600, reinstatedAmount: 0 },
      ],
    });
    expect(await fundsOf(made)).toBe(400);
    state.moveDispute(second, 'appeal_under_review');
    await heard(told(made).slice(-1));
    expect(await under.client.find(made['id'])).toMatchObject({ disputes: [{}, { status: 'open', closedAt: null }] });
    state.moveDispute(second, 'won');
    state.moveFunds(second, 600);
    await heard(told(made).slice(-2));
    expect(await under.client.find(made['id'])).toMatchObject({ disputedAmount: 0, disputes: [{}, { status: 'won' }] });
    expect(await fundsOf(made)).toBe(1000);
  });

  it('keeps a status that nobody here knows', async () => {
    const made = await paid(1000);
    const dispute = state.dispute(intentOf(made), { status: 'in_arbitration' as 'under_review' });
    await heard(told(made));
    expect(await detailOf(made)).toMatchObject({ status: 'open', providerStatus: 'in_arbitration' });
    state.moveDispute(dispute, 'prevented');
    await heard(told(made));
    expect(await detailOf(made)).toMatchObject({ status: 'closed', providerStatus: 'prevented' });
  });
});

describe('news of a dispute', () => {
  const OUTCOMES = ['won', 'lost'] as const;

  /** Created, withdrawn, updated, closed, and when it was won reinstated. */
  async function decided(outcome: (typeof OUTCOMES)[number]): Promise<Shown> {
    const made = await paid(1000);
    const dispute = withdrawn(made);
    state.moveDispute(dispute, 'under_review');
    state.moveDispute(dispute, outcome);
    if (outcome === 'won') state.moveFunds(dispute, 1000);
    return made;
  }

  async function expectEnd(made: Shown, outcome: (typeof OUTCOMES)[number]): Promise<void> {
    const isWon = outcome === 'won';
    const { movements, ...detail } = await detailOf(made);
    expect(detail).toMatchObject({
      status: outcome,
      providerStatus: outcome,
      withdrawnAmount: 1000,
      reinstatedAmount: isWon ? 1000 : 0,
      closedAt: expect.any(String),
    });
    expect(movements).toHaveLength(isWon ? 2 : 1);
    expect(await fundsOf(made)).toBe(isWon ? 1000 : 0);
  }

  it.each(OUTCOMES)('ends the same whichever two come first, in either order, and twice: %s', async (outcome) => {
    const count = outcome === 'won' ? 5 : 4;
    const pairs = Array.from({ length: count }, (_, a) => a).flatMap((a) =>
      Array.from({ length: count }, (_, b) => [a, b] as const).filter(([, b]) => a !== b),
    );
    const ended: Shown[] = [];
    const sent: unknown[] = [];
    for (const pair of pairs) {
      const made = await decided(outcome);
      const events = told(made);
      expect(events).toHaveLength(count);
      const first = pair.map((at) => events[at] ?? {});
      const again = first.map((event) => ({ ...event, id: `${String(event['id'])}again` }));
      const rest = events.filter((event) => !first.includes(event));
      sent.push(...(await deliver([...first, ...again, ...first, ...rest])));
      ended.push(made);
    }
    await untilProcessed(sent);
    await heard([]);
    for (const made of ended) await expectEnd(made, outcome);
  });

  it.each<[string, (events: Shown[]) => Shown[]]>([
    [
      'in another API version',
      (events) =>
        events.slice(-1).map((event) => ({ ...withObject(event, { status: 'lost' }), api_version: '2020-08-27' })),
    ],
    [
      'by an event of the charge',
      (events) => events.slice(0, 1).map((event) => ({ ...event, type: 'charge.refunded' })),
    ],
  ])('that comes %s makes us ask', async (_, change) => {
    const made = await decided('won');
    await heard(change(told(made)));
    await expectEnd(made, 'won');
  });

  it.each([
    ['in order', (events: Shown[]) => events],
    ['the other way round', (events: Shown[]) => events.toReversed()],
  ])('may come before that of the success, %s', async (_, order) => {
    const { body } = await under.take(1000);
    await holdfast.sql(`UPDATE payments SET next_check_at = now() + interval '1 hour' WHERE id = $1`, [body['id']]);
    state.pay(intentOf(body));
    const dispute = withdrawn(body);
    state.moveDispute(dispute, 'lost');
    const success = state.eventsOf(intentOf(body)).filter(({ type }) => type === 'payment_intent.succeeded');
    await heard([...order(told(body)), ...success]);
    await expectEnd(body, 'lost');
  });

  it.each<[string, (event: Shown) => Shown]>([
    ['of a connected account', (event) => ({ ...event, account: 'acct_1' })],
    ['about a charge that has nothing to do with us', (event) => withObject(event, { payment_intent: 'pi_theirs' })],
    ['about another charge, that names our payment', (event) => named(event, 'pi_theirs')],
  ])('%s changes nothing', async (_, change) => {
    const made = await paid(1000);
    const dispute = withdrawn(made);
    const events = told(made).map((event) => {
      const { metadata } = state.intent(intentOf(made));
      return change(withObject(event, { metadata }));
    });
    // It is not there for those who ask.
    state.disputes.delete(dispute.id);
    await heard(events);
    expect(await under.client.find(made['id'])).toMatchObject({ disputes: [], disputedAmount: 0 });
    expect(await fundsOf(made)).toBe(1000);
  });
});

describe('the money of a dispute', () => {
  async function freeze(of: Shown, what: 'freeze' | 'unfreeze'): Promise<void> {
    const answer = await holdfast.call('POST', `/api/users/${String(of['userId'])}/${what}`, { reason: 'A test' });
    expect(answer).toMatchObject({ status: 200 });
  }

  const review = (of: Shown, what: 'approve' | 'decline') =>
    under.client.post(`payments/reviews/${String(of['id'])}/${what}`);

  it('is taken from suspense where the payment is, and put back there', async () => {
    const userId = newUserId();
    await under.wallet.newUser(0, { userId });
    await freeze({ userId }, 'freeze');
    const made = await paid(1000, { userId });
    expect(made).toMatchObject({ settledTo: 'suspense' });
    const dispute = withdrawn(made);
    await heard(told(made));
    await freeze({ userId }, 'unfreeze');
    expectProblem(await review(made, 'decline'), 409, 'PAYMENT_DISPUTED');
    state.moveDispute(dispute, 'won');
    state.moveFunds(dispute, 800);
    await heard(told(made));
    expect(await detailOf(made)).toMatchObject({ movements: [{ account: 'suspense' }, { account: 'suspense' }] });
    expect(await review(made, 'approve')).toMatchObject({ status: 200, body: { settledTo: 'wallet', review: null } });
    expect(await fundsOf(made)).toBe(800);
  });

  it('that a frozen wallet has is owed, and what comes back waits for somebody', async () => {
    const made = await paid(1000);
    await freeze(made, 'freeze');
    const dispute = withdrawn(made);
    state.moveDispute(dispute, 'lost');
    state.moveFunds(dispute, 250);
    await heard(told(made));
    expect(await fundsOf(made)).toBe(1000);
    expect(await detailOf(made)).toMatchObject({
      payment: {
        review: expect.stringContaining('2.50 USD that a dispute gave back is in suspense'),
        disputedAmount: 750,
      },
      movements: [{ account: 'wallet' }, { account: 'suspense' }],
    });
    await freeze(made, 'unfreeze');
    expect(await review(made, 'approve')).toMatchObject({ status: 200, body: { review: null } });
    expect(await detailOf(made)).toMatchObject({ movements: [{ account: 'wallet' }, { account: 'wallet' }] });
    expectProblem(await review(made, 'approve'), 409, 'ILLEGAL_TRANSITION');
    expect([await fundsOf(made), await debtOf(made)]).toEqual([250, 0]);
  });
});

describe('the list of disputes', () => {
  it('is narrowed by user, status and payment, and goes page by page', async () => {
    const userId = newUserId();
    const payments: Shown[] = [];
    for (let at = 0; at < 3; at++) {
      const made = await paid(1000, { userId });
      const dispute = withdrawn(made);
      if (at === 1) state.moveDispute(dispute, 'lost');
      await heard(told(made));
      payments.push(made);
    }
    const list = async (query: string) => {
      const { status, body } = await holdfast.call('GET', `/api/disputes?${query}`);
      expect(status).toBe(200);
      return body as { data: Shown[]; nextCursor: string | null };
    };
    const ids = payments.map(({ id }) => id).toReversed();
    expect((await list(`userId=${userId}`)).data.map(({ paymentId }) => paymentId)).toEqual(ids);
    expect((await list(`userId=${userId}&status=lost`)).data).toMatchObject([{ paymentId: payments[1]?.['id'] }]);
    expect((await list(`payment=${String(ids[0])}`)).data).toMatchObject([{ paymentId: ids[0], status: 'open' }]);
    const first = await list(`userId=${userId}&limit=2`);
    expect(first.data).toHaveLength(2);
    expect(await list(`userId=${userId}&limit=2&cursor=${String(first.nextCursor)}`)).toMatchObject({
      data: [{ paymentId: ids[2] }],
      nextCursor: null,
    });
    expectProblem(await holdfast.call('GET', '/api/disputes?status=needs_response'), 400, 'VALIDATION_FAILED');
    expectProblem(await holdfast.call('GET', '/api/disputes?cursor=x'), 400, 'VALIDATION_FAILED');
  });

  it("shows users their own, and knows nothing of others'", async () => {
    const [mine, theirs] = [await paid(1000), await paid(1000)];
    for (const made of [mine, theirs]) {
      withdrawn(made);
      await heard(told(made));
    }
    const token = await userToken(String(mine['userId']));
    const { body } = await under.client.get('disputes', token);
    expect(body['data']).toMatchObject([{ paymentId: mine['id'] }]);
    const { id } = await detailOf(theirs);
    expectProblem(await under.client.get(`disputes/${String(id)}`, token), 404, 'NOT_FOUND');
    expectProblem(await under.client.get(`disputes?userId=${String(theirs['userId'])}`, token), 404, 'NOT_FOUND');
    expect((await under.client.get(`disputes?payment=${String(theirs['id'])}`, token)).body['data']).toEqual([]);
    expectProblem(await holdfast.call('GET', '/api/disputes/nothing'), 404, 'NOT_FOUND');
  });
});

function withObject(event: Shown, change: object): Shown {
  return { ...event, data: { object: { ...(event['data'] as { object: object }).object, ...change } } };
}

/** The metadata of an object says that it is about our payment; whose it is, its PaymentIntent says. */
function named(event: Shown, intent: string): Shown {
  return withObject(event, { payment_intent: intent });
}

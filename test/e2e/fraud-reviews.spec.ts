import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { expectTaken, fraudClientOf } from '../support/fraud-client.js';
import { expectProblem } from '../support/http-answer.js';
import { Scrape } from '../support/metrics.js';
import type { Shown } from '../support/payments-client.js';
import { serverUnderTest } from '../support/server-under-test.js';
import { StripeApi } from '../support/stripe-api.js';
import { userToken } from '../support/user-token.js';
import { waitFor } from '../support/wait-for.js';
import { newUserId, WalletClient } from '../support/wallet-client.js';

const STRIPE_SECRET_KEY = 'sk_test_4eC39HqLyjWDarjtT1zdp7dc';
const stripe = await StripeApi.start(STRIPE_SECRET_KEY);
const holdfast = serverUnderTest({ env: { STRIPE_SECRET_KEY, STRIPE_API_BASE: stripe.url } });
const fraud = fraudClientOf(holdfast);

let rule: string;
beforeEach(async () => {
  rule = await fraud.client.rule('amount', { limit: 1000, currency: 'USD', action: 'review' });
});

afterEach(async () => {
  await fraud.client.noRules();
  await new WalletClient(holdfast.server).expectIntegrity();
});

afterAll(() => stripe.stop());

async function held(amount: number, more: object): Promise<Shown> {
  const answer = await fraud.client.create(amount, more);
  expectTaken(answer);
  return answer.body;
}

async function waiting(payment: Shown): Promise<Shown | undefined> {
  return (await fraud.client.reviews()).find(({ id }) => id === payment['id']);
}

const VISA = { provider: 'stripe', providerPaymentMethod: 'pm_card_visa' };

describe.each<[string, object]>([
  ['the sandbox', { provider: 'sandbox' }],
  ['Stripe', VISA],
])('a payment at %s that a rule wants reviewed', (_name, provider) => {
  it('is authorised, waits with the reason, and is captured once somebody approves', async () => {
    const payment = await held(1001, provider);
    expect(payment).toMatchObject({
      status: 'requires_capture',
      capture: 'automatic',
      capturedAmount: 0,
      settledTo: null,
      review: expect.stringContaining('rule'),
    });
    expect(await waiting(payment)).toMatchObject({
      review: payment['review'],
      evaluations: [{ rule, action: 'review', outcome: 'matched', figure: 1001, threshold: 1000 }],
    });
    expect(await fraud.client.fundsOf(payment['userId'])).toBe(0);
    const gauge = async () => (await Scrape.of(holdfast.server)).value('holdfast_payment_reviews_waiting') ?? 0;
    const before = await gauge();
    expectProblem(await fraud.client.post(`payments/${String(payment['id'])}/capture`, {}), 409, 'ILLEGAL_TRANSITION');
    const approved = await fraud.client.decide(payment['id'], 'approve');
    expect(approved).toMatchObject({
      status: 200,
      body: { status: 'succeeded', capturedAmount: 1001, settledTo: 'wallet', review: null },
    });
    expect(await gauge()).toBe(before - 1);
    expect(await fraud.client.fundsOf(payment['userId'])).toBe(1001);
    expect(await waiting(payment)).toBeUndefined();
    for (const decision of ['approve', 'decline'] as const)
      expectProblem(await fraud.client.decide(payment['id'], decision), 409, 'ILLEGAL_TRANSITION');
    const { operations } = await fraud.client.find(payment['id']);
    expect(operations).toMatchObject([
      { kind: 'create', outcome: 'succeeded' },
      { kind: 'capture', amount: 1001, outcome: 'succeeded' },
    ]);
  });

  it('is given up when somebody declines', async () => {
    const payment = await held(1001, provider);
    const declined = await fraud.client.decide(payment['id'], 'decline');
    expect(declined).toMatchObject({ status: 200, body: { status: 'canceled', capturedAmount: 0, review: null } });
    expect(await fraud.client.fundsOf(payment['userId'])).toBe(0);
    expect(await waiting(payment)).toBeUndefined();
    for (const decision of ['approve', 'decline'] as const)
      expectProblem(await fraud.client.decide(payment['id'], decision), 409, 'ILLEGAL_TRANSITION');
  });

  it('of which only an authorisation was asked for is left to its caller once it is approved', async () => {
    const payment = await held(1001, { ...provider, capture: 'manual' });
    const path = `payments/${String(payment['id'])}/capture`;
    expectProblem(await fraud.client.post(path, { amount: 600 }), 409, 'ILLEGAL_TRANSITION');
    const both = await Promise.all([
      fraud.client.decide(payment['id'], 'approve'),
      fraud.client.decide(payment['id'], 'approve'),
    ]);
    expect(both.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 409]);
    expect(both.find(({ status }) => status === 200)?.body).toMatchObject({ status: 'requires_capture', review: null });
    expect(await waiting(payment)).toBeUndefined();
    const captured = await fraud.client.post(path, { amount: 600 });
    expect(captured).toMatchObject({ status: 200, body: { capturedAmount: 600, settledTo: 'wallet' } });
    expect(await fraud.client.fundsOf(payment['userId'])).toBe(600);
  });

  it('leaves the queue when its customer gives it up', async () => {
    const userId = newUserId();
    const payment = await held(1001, { ...provider, userId });
    const credential = await userToken(userId);
    const path = `payments/${String(payment['id'])}/cancel`;
    expect(await fraud.client.post(path, undefined, { credential })).toMatchObject({
      status: 200,
      body: { status: 'canceled', review: null },
    });
    expect(await waiting(payment)).toBeUndefined();
  });

  it('is captured once under one key, however often that comes', async () => {
    const payment = await held(1001, provider);
    const key = randomUUID();
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => fraud.client.decide(payment['id'], 'approve', key)),
    );
    const done = answers.filter(({ status }) => status === 200);
    expect(done.length).toBeGreaterThan(0);
    for (const answer of answers.filter(({ status }) => status !== 200))
      expectProblem(answer, 409, 'IDEMPOTENCY_KEY_IN_USE');
    const again = await fraud.client.decide(payment['id'], 'approve', key);
    expect({ status: again.status, text: again.text }).toEqual({ status: 200, text: done[0]?.text });
    expect(await fraud.client.fundsOf(payment['userId'])).toBe(1001);
  });

  it('is either approved or declined when both come at once', async () => {
    const payment = await held(1001, provider);
    const decisions = Array.from({ length: 10 }, (_, i): 'approve' | 'decline' =>
      i % 2 === 0 ? 'approve' : 'decline',
    );
    const answers = await Promise.all(decisions.map((decision) => fraud.client.decide(payment['id'], decision)));
    const won = decisions.filter((_, i) => answers[i]?.status === 200);
    expect(won).toHaveLength(1);
    for (const { status, body } of answers.filter((answer) => answer.status !== 200)) {
      expect({ status, body }).toMatchObject({
        status: 409,
        body: { code: expect.stringMatching(/^(PAYMENT_BUSY|ILLEGAL_TRANSITION)$/) },
      });
    }
    const isApproved = won[0] === 'approve';
    const { status, operations } = await fraud.client.find(payment['id']);
    expect(status).toBe(isApproved ? 'succeeded' : 'canceled');
    expect((operations as Shown[]).map(({ kind }) => kind)).toEqual(['create', isApproved ? 'capture' : 'cancel']);
    expect(await fraud.client.fundsOf(payment['userId'])).toBe(isApproved ? 1001 : 0);
  });
});

describe('a review at Stripe', () => {
  const intentOf = (payment: Shown) => stripe.intentsOf(payment['id'])[0];

  it('asks for an authorisation, and captures or cancels that', async () => {
    const [approved, declined] = [await held(1001, VISA), await held(1002, VISA)];
    expect(intentOf(approved)).toMatchObject({ capture_method: 'manual', status: 'requires_capture' });
    await fraud.client.decide(approved['id'], 'approve');
    await fraud.client.decide(declined['id'], 'decline');
    expect(intentOf(approved)).toMatchObject({ status: 'succeeded', amount_received: 1001 });
    expect(intentOf(declined)).toMatchObject({ status: 'canceled', amount_received: 0 });
  });

  it('waits for the customer first, and is in the queue once they have paid', async () => {
    const payment = await held(1001, { provider: 'stripe' });
    expect(payment).toMatchObject({ status: 'requires_action', review: null });
    expect(await waiting(payment)).toBeUndefined();
    expectProblem(await fraud.client.decide(payment['id'], 'approve'), 409, 'ILLEGAL_TRANSITION');
    stripe.state.pay(String(payment['providerReference']));
    await stripe.deliver(holdfast.sender, stripe.state.eventsOf(String(payment['providerReference'])));
    await fraud.client.untilStatus(payment['id'], 'requires_capture');
    expect(await waiting(payment)).toBeDefined();
    expect(await fraud.client.decide(payment['id'], 'approve')).toMatchObject({ body: { settledTo: 'wallet' } });
  });

  it('whose capture nobody knows the outcome of is answered 202, and becomes known by itself', async () => {
    const payment = await held(1001, VISA);
    const key = randomUUID();
    stripe.failNext('capture', 'resetAfter');
    const answer = await fraud.client.decide(payment['id'], 'approve', key);
    expect(answer).toMatchObject({ status: 202, body: { status: 'unknown' } });
    expect((await fraud.client.decide(payment['id'], 'approve', key)).text).toBe(answer.text);
    await fraud.client.untilStatus(payment['id'], 'succeeded');
    expect(await fraud.client.fundsOf(payment['userId'])).toBe(1001);
    expect(await waiting(payment)).toBeUndefined();
  });

  it('whose cancellation nobody knows the outcome of is answered 202, and becomes known by itself', async () => {
    const payment = await held(1001, VISA);
    stripe.failNext('cancel', 'resetBefore');
    const answer = await fraud.client.decide(payment['id'], 'decline');
    expect(answer).toMatchObject({ status: 202, body: { status: 'unknown' } });
    await fraud.client.untilStatus(payment['id'], 'canceled');
    expect(await waiting(payment)).toBeUndefined();
  });

  it('whose capture Stripe refused stays in the queue, and can be decided again', async () => {
    const payment = await held(1001, VISA);
    stripe.failNext('capture', 'rateLimited');
    expectProblem(await fraud.client.decide(payment['id'], 'approve'), 409, 'PROVIDER_REFUSED');
    expect(await waiting(payment)).toBeDefined();
    expect(await fraud.client.decide(payment['id'], 'approve')).toMatchObject({ body: { status: 'succeeded' } });
    expect(await fraud.client.fundsOf(payment['userId'])).toBe(1001);
  });

  it('that somebody captured at Stripe itself goes to suspense, and is reviewed there', async () => {
    const payment = await held(1001, VISA);
    const reference = String(payment['providerReference']);
    stripe.state.capture(reference, {});
    await stripe.deliver(holdfast.sender, stripe.state.eventsOf(reference));
    await waitFor(async () => (await waiting(payment))?.['settledTo'] === 'suspense', { what: 'the suspense' });
    expect(await fraud.client.fundsOf(payment['userId'])).toBe(0);
    expect(await fraud.client.decide(payment['id'], 'approve')).toMatchObject({
      status: 200,
      body: { settledTo: 'wallet', review: null },
    });
    expect(await fraud.client.fundsOf(payment['userId'])).toBe(1001);
  });

  it('whose creation was answered by nobody is authorised once all the same', async () => {
    stripe.failNext('create', 'resetBefore');
    const { status, body } = await fraud.client.create(1001, VISA);
    expect({ status, body }).toMatchObject({ status: 202, body: { status: 'unknown' } });
    await holdfast.sql(
      `UPDATE provider_operations SET created_at = created_at - interval '2 minutes' WHERE payment = $1`,
      [body['id']],
    );
    await holdfast.sql('UPDATE payments SET next_check_at = clock_timestamp() WHERE id = $1', [body['id']]);
    await fraud.client.untilStatus(body['id'], 'requires_capture');
    expect(stripe.intentsOf(body['id'])).toMatchObject([{ capture_method: 'manual' }]);
    expect(await waiting(body)).toBeDefined();
    await fraud.client.decide(body['id'], 'decline');
  });
});

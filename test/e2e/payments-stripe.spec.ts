import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, it } from '@jest/globals';
import type { Answer } from '../support/http-answer.js';
import type { Shown } from '../support/payments-client.js';
import type { Fault } from '../support/stripe-api.js';
import { stripeUnderTest } from '../support/stripe-under-test.js';
import { waitFor } from '../support/wait-for.js';
import { newEventId, stripeEvent } from '../support/webhook-sender.js';
import { newUserId } from '../support/wallet-client.js';

const payments = await stripeUnderTest();
const { holdfast, api: stripe, take, paid, deliver, untilProcessed, age } = payments;

function settlements(payment: unknown): Promise<unknown[]> {
  return holdfast.sql('SELECT FROM ledger_transfers WHERE reference = $1', [`settle:${String(payment)}`]);
}

describe('a payment that the customer makes on the page', () => {
  it('is a PaymentIntent with our ids, and waits', async () => {
    const { status, body } = await take(1234, { email: 'ann@example.com', description: 'Two coffees' });
    expect({ status, body }).toMatchObject({
      status: 201,
      body: {
        status: 'requires_action',
        provider: 'stripe',
        mode: 'test',
        providerReference: expect.stringMatching(/^pi_/),
        clientSecret: expect.stringContaining(`${String(body['providerReference'])}_secret_`),
        capturedAmount: 0,
      },
    });
    const [call] = stripe.callsOf('create', ({ params }) => params['description'] === 'Two coffees');
    const { operations } = await payments.client.find(body['id']);
    const [operation] = operations as Shown[];
    expect(call).toMatchObject({
      key: operation?.['id'],
      params: {
        amount: '1234',
        currency: 'usd',
        capture_method: 'automatic',
        automatic_payment_methods: { enabled: 'true' },
        metadata: { holdfast_payment: body['id'], holdfast_operation: operation?.['id'] },
        receipt_email: 'ann@example.com',
      },
    });
  });

  it('credits the wallet once, whatever the order and number of events, and whoever asks meanwhile', async () => {
    const { body } = await take(2500);
    const { id, userId, providerReference } = body;
    stripe.state.decline(String(providerReference));
    stripe.state.pay(String(providerReference));
    const events = stripe.state.eventsOf(String(providerReference));
    expect(events.map(({ type }) => type)).toEqual([
      'payment_intent.created',
      'charge.failed',
      'payment_intent.payment_failed',
      'charge.succeeded',
      'payment_intent.succeeded',
    ]);
    const again = events.map((event) => ({ ...event, id: `${String(event['id'])}again` }));
    const [ids] = await Promise.all([
      deliver([...events.toReversed(), ...events, ...again]),
      ...Array.from({ length: 5 }, () => payments.client.post(`payments/${String(id)}/verify`)),
    ]);
    await untilProcessed(ids);
    const payment = await payments.client.untilStatus(id, 'succeeded');
    expect(payment).toMatchObject({ capturedAmount: 2500, settledTo: 'wallet', failure: null });
    expect(await payments.client.fundsOf(userId)).toBe(2500);
    expect(await settlements(id)).toHaveLength(1);
    expect((payment['transitions'] as Shown[]).filter(({ to }) => to === 'succeeded')).toHaveLength(1);
  });

  it('is found paid without any event', async () => {
    const { body } = await take(700);
    stripe.state.pay(String(body['providerReference']));
    await age(body['id'], 0);
    await payments.client.untilStatus(body['id'], 'succeeded');
    expect(await payments.client.fundsOf(body['userId'])).toBe(700);
  });

  it('shows its secret to who takes and verifies it, and nobody else', async () => {
    const key = randomUUID();
    const more = { userId: newUserId(), reference: randomUUID() };
    const first = await take(900, more, key);
    const secret = String(first.body['clientSecret']);
    const again = await take(900, more, key);
    expect([again.status, again.text]).toEqual([201, first.text]);
    const verify = () => payments.client.post(`payments/${String(first.body['id'])}/verify`);
    expect((await verify()).body).toMatchObject({ status: 'requires_action', clientSecret: secret });
    const read = await payments.client.get(`wallet/verify/${String(first.body['providerReference'])}`);
    expect(read).toMatchObject({ status: 200, body: { status: 'requires_action' } });
    expect(read.text).not.toContain(secret);
    expect(await payments.client.find(first.body['id'])).not.toHaveProperty('clientSecret');
    for (const table of [
      'payments',
      'payment_transitions',
      'provider_operations',
      'idempotency_records',
      'audit_log',
    ]) {
      const rows = await holdfast.sql(`SELECT 1 FROM ${table} AS row WHERE row::text LIKE $1`, [`%${secret}%`]);
      expect({ table, rows }).toEqual({ table, rows: [] });
    }
    stripe.state.pay(String(first.body['providerReference']));
    const verified = await verify();
    expect(verified.body).toMatchObject({ status: 'succeeded' });
    expect(verified.body).not.toHaveProperty('clientSecret');
  });

  it.each([
    ['JPY', 1000, 1000],
    ['ISK', 500, 50_000],
    ['UGX', 3000, 300_000],
    ['MGA', 50_000, 500],
    ['KWD', 12_340, 12_340],
  ])('in %s of %d minor units is %d at Stripe, and comes back the same', async (currency, amount, atStripe) => {
    const { body } = await take(amount, { currency, providerPaymentMethod: 'pm_card_visa' });
    expect(body).toMatchObject({ status: 'succeeded', amount, capturedAmount: amount, settledTo: 'wallet' });
    expect(stripe.state.intent(String(body['providerReference'])).amount).toBe(atStripe);
  });

  it.each([
    ['KWD', 12_345],
    ['MGA', 50_001],
    ['IQD', 1000],
  ])('in %s of %d minor units, which Stripe cannot carry, is refused before any call', async (currency, amount) => {
    const calls = stripe.callsOf('create').length;
    const { status } = await take(amount, { currency });
    expect(status).toBe(400);
    expect(stripe.callsOf('create')).toHaveLength(calls);
  });
});

describe('a payment that is confirmed at once', () => {
  it('succeeds with the answer', async () => {
    const { id, userId, status } = await paid(1500);
    expect(status).toBe('succeeded');
    expect(await payments.client.fundsOf(userId)).toBe(1500);
    await untilProcessed(
      await deliver(stripe.state.eventsOf(String((await payments.client.find(id))['providerReference']))),
    );
    expect(await payments.client.fundsOf(userId)).toBe(1500);
  });

  it('is failed when the bank declines, and succeeds when the customer pays after all', async () => {
    const { status, body } = await take(1600, { providerPaymentMethod: 'pm_card_chargeDeclined' });
    expect({ status, body }).toMatchObject({
      status: 201,
      body: {
        status: 'failed',
        providerReference: expect.stringMatching(/^pi_/),
        failure: { code: 'card_declined', declineCode: 'generic_decline', message: 'Your card was declined.' },
      },
    });
    expect(stripe.intentsOf(body['id'])).toHaveLength(1);
    stripe.state.pay(String(body['providerReference']));
    await untilProcessed(await deliver(stripe.state.eventsOf(String(body['providerReference']))));
    expect(await payments.client.find(body['id'])).toMatchObject({ status: 'succeeded', failure: null });
    expect(await payments.client.fundsOf(body['userId'])).toBe(1600);
  });

  it('asks for the customer when the bank does', async () => {
    const { status, body } = await take(1700, { providerPaymentMethod: 'pm_card_authenticationRequired' });
    expect({ status, body }).toMatchObject({
      status: 201,
      body: { status: 'requires_action', clientSecret: expect.stringContaining('_secret_') },
    });
  });

  it.each<[string, string, Fault | undefined, object]>([
    ['is too small for Stripe', 'amount_too_small', undefined, { amount: 49 }],
    ['names a card that is not there', 'resource_missing', undefined, { providerPaymentMethod: 'pm_nobody' }],
    ['comes too fast', 'rate_limit', 'rateLimited', {}],
    ['comes with a key that was revoked', 'invalid_request_error', 'unauthorized', {}],
  ])('is failed, with no PaymentIntent, when it %s', async (_, code, fault, more) => {
    if (fault !== undefined) stripe.failNext('create', fault);
    const { status, body } = await take(1800, { providerPaymentMethod: 'pm_card_visa', ...more });
    expect({ status, body }).toMatchObject({ status: 201, body: { status: 'failed', failure: { code } } });
    expect(stripe.intentsOf(body['id'])).toEqual([]);
  });
});

describe('an authorisation', () => {
  it('is captured in part; the rest, which Stripe shows as a refund, debits nobody', async () => {
    const { id, userId, providerReference, status } = await paid(1000, { capture: 'manual' });
    expect(status).toBe('requires_capture');
    expect(await payments.client.fundsOf(userId)).toBe(0);
    const captured = await payments.client.post(`payments/${String(id)}/capture`, { amount: 600 });
    expect(captured).toMatchObject({
      status: 200,
      body: { status: 'succeeded', capturedAmount: 600, settledTo: 'wallet' },
    });
    const events = stripe.state.eventsOf(String(providerReference));
    expect(events.map(({ type }) => type)).toContain('charge.refunded');
    await untilProcessed(await deliver(events));
    expect(await payments.client.fundsOf(userId)).toBe(600);
    expect(await payments.client.find(id)).toMatchObject({ refundedAmount: 0, refundableAmount: 600 });
  });

  it('is not undone by the late news of a decline before it', async () => {
    const { body } = await take(1100, { capture: 'manual' });
    const reference = String(body['providerReference']);
    stripe.state.decline(reference);
    stripe.state.pay(reference);
    const events = stripe.state.eventsOf(reference);
    const late = events.filter(({ type }) => type === 'payment_intent.payment_failed');
    await untilProcessed(await deliver(events.filter((event) => !late.includes(event))));
    await payments.client.untilStatus(body['id'], 'requires_capture');
    await untilProcessed(await deliver(late));
    expect(await payments.client.find(body['id'])).toMatchObject({ status: 'requires_capture' });
    expect(await payments.client.post(`payments/${String(body['id'])}/capture`)).toMatchObject({ status: 200 });
    expect(await payments.client.fundsOf(body['userId'])).toBe(1100);
  });

  it.each([
    ['before it is paid', {}],
    ['once it is authorised', { capture: 'manual', providerPaymentMethod: 'pm_card_visa' }],
  ])('is canceled at Stripe %s', async (_, more) => {
    const { body } = await take(1200, more);
    const canceled = await payments.client.post(`payments/${String(body['id'])}/cancel`);
    expect(canceled).toMatchObject({ status: 200, body: { status: 'canceled' } });
    const reference = String(body['providerReference']);
    expect(stripe.state.intent(reference).status).toBe('canceled');
    await untilProcessed(await deliver(stripe.state.eventsOf(reference)));
    expect(await payments.client.find(body['id'])).toMatchObject({ status: 'canceled' });
    expect(await payments.client.fundsOf(body['userId'])).toBe(0);
  });

  it('that ran out is canceled by the event', async () => {
    const { id, providerReference } = await paid(1300, { capture: 'manual' });
    stripe.state.cancel(String(providerReference), { cancellation_reason: 'automatic' });
    await untilProcessed(await deliver(stripe.state.eventsOf(String(providerReference))));
    expect(await payments.client.find(id)).toMatchObject({ status: 'canceled' });
  });

  it('is not given up by a call that is turned away after one of which nobody knows', async () => {
    const { id, providerReference } = await paid(1400, { capture: 'manual' });
    const isThis = (_: unknown, intent: unknown) => intent === providerReference;
    stripe.failNext('capture', 'resetBefore', isThis);
    stripe.failNext('capture', 'unauthorized', isThis);
    await payments.client.post(`payments/${String(id)}/capture`);
    await waitFor(async () => {
      const { body } = await payments.client.post(`payments/${String(id)}/verify`);
      return body['status'] === 'succeeded';
    });
    expect(stripe.callsOf('capture', (seen) => seen.id === providerReference)).toHaveLength(3);
  });
});

describe('a refund', () => {
  const refund = (id: unknown, amount: number) => payments.client.post(`payments/${String(id)}/refunds`, { amount });

  it('of 60 of 100 is made once when two are asked for at the same time', async () => {
    const { id, userId, providerReference } = await paid(100);
    const answers = await Promise.all([refund(id, 60), refund(id, 60)]);
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([201, 409]);
    expect(answers.find(({ status }) => status === 409)?.body).toMatchObject({ code: 'REFUND_EXCEEDS_CAPTURED' });
    expect(stripe.callsOf('refund', ({ params }) => params['payment_intent'] === providerReference)).toHaveLength(1);
    await untilProcessed(await deliver(stripe.state.eventsOf(String(providerReference)).toReversed()));
    expect(await payments.client.fundsOf(userId)).toBe(40);
    expect(await payments.client.find(id)).toMatchObject({ refundedAmount: 60, refundableAmount: 40 });
  });

  it('that the bank sends back is credited once, whatever the order and number of events', async () => {
    const { id, userId, providerReference } = await paid(2000);
    const { body } = await refund(id, 500);
    stripe.state.failRefund(String(body['providerReference']));
    const events = stripe.state.eventsOf(String(providerReference));
    expect(events.map(({ type }) => type)).toEqual(expect.arrayContaining(['charge.refund.updated', 'refund.failed']));
    await untilProcessed(await deliver([...events.toReversed(), ...events]));
    expect(await payments.client.fundsOf(userId)).toBe(2000);
    const { refunds } = await payments.client.find(id);
    expect(refunds).toMatchObject([{ status: 'failed', failure: { code: 'expired_or_canceled_card' } }]);
  });

  it('that succeeds after it had failed is for a review, which says that somebody has seen it', async () => {
    const { id, userId, providerReference } = await paid(2200);
    const { body } = await refund(id, 300);
    const [created] = stripe.state.eventsOf(String(providerReference)).filter(({ type }) => type === 'refund.created');
    stripe.state.failRefund(String(body['providerReference']));
    await untilProcessed(await deliver(stripe.state.eventsOf(String(providerReference))));
    // The bank has changed its mind, and Stripe says so when it is asked.
    const atStripe = stripe.state.refundOf(String(body['providerReference']));
    atStripe.status = 'succeeded';
    const late = { ...created, id: newEventId(), type: 'refund.updated' };
    await untilProcessed(await deliver([withObject(late, { status: 'succeeded' })]));
    await waitFor(async () => String((await payments.client.find(id))['review']).includes('succeeded after it was'));
    atStripe.status = 'failed';
    const approve = `payments/reviews/${String(id)}/approve`;
    expect(await payments.client.post(approve)).toMatchObject({ status: 200, body: { review: null } });
    expect(await payments.client.post(approve)).toMatchObject({ status: 409, body: { code: 'ILLEGAL_TRANSITION' } });
    expect(await payments.client.fundsOf(userId)).toBe(2200);
  });

  it('that Stripe refuses gives the money back', async () => {
    const { id, userId, providerReference } = await paid(2100);
    // All of it was given back at Stripe, before anybody told us.
    const intent = stripe.state.intent(String(providerReference));
    intent.status = 'processing';
    const { status, body } = await refund(id, 100);
    intent.status = 'succeeded';
    expect({ status, body }).toMatchObject({
      status: 409,
      body: { code: 'PROVIDER_REFUSED', details: { failure: { code: 'payment_intent_unexpected_state' } } },
    });
    expect(await payments.client.fundsOf(userId)).toBe(2100);
  });
});

describe('an event', () => {
  /** About a PaymentIntent that was paid, of which only this event tells. */
  async function paidUnseen(amount: number): Promise<{ payment: Shown; event: Record<string, unknown> }> {
    const { body } = await take(amount);
    // Not asked about by itself until the event comes.
    await holdfast.sql(`UPDATE payments SET next_check_at = now() + interval '1 hour' WHERE id = $1`, [body['id']]);
    stripe.state.pay(String(body['providerReference']));
    const event = stripe.state
      .eventsOf(String(body['providerReference']))
      .find(({ type }) => type === 'payment_intent.succeeded');
    return { payment: body, event: { ...event } };
  }

  it('rendered in another API version makes us ask', async () => {
    const { payment, event } = await paidUnseen(3100);
    // Should it be read, it would say the wrong thing.
    const object = { ...(event['data'] as { object: object }).object, amount_received: 1 };
    const asked = stripe.callsOf('retrieve', ({ id }) => id === payment['providerReference']).length;
    await untilProcessed(await deliver([{ ...event, api_version: '2020-08-27', data: { object } }]));
    expect(await payments.client.untilStatus(payment['id'], 'succeeded')).toMatchObject({ settledTo: 'wallet' });
    expect(stripe.callsOf('retrieve', ({ id }) => id === payment['providerReference']).length).toBeGreaterThan(asked);
  });

  it('that is thin makes us ask', async () => {
    const { payment, event } = await paidUnseen(3200);
    const id = payment['providerReference'];
    const thin = {
      id: event['id'],
      object: 'v2.core.event',
      type: 'v1.payment_intent.succeeded',
      created: new Date().toISOString(),
      livemode: false,
      related_object: { id, type: 'payment_intent', url: `/v1/payment_intents/${String(id)}` },
    };
    await untilProcessed(await deliver([thin]));
    await payments.client.untilStatus(payment['id'], 'succeeded');
  });

  it('of a charge makes us ask', async () => {
    const { payment } = await paidUnseen(3300);
    const events = stripe.state.eventsOf(String(payment['providerReference']));
    await untilProcessed(await deliver(events.filter(({ type }) => type === 'charge.succeeded')));
    await payments.client.untilStatus(payment['id'], 'succeeded');
  });

  it.each<[string, (event: Record<string, unknown>) => Record<string, unknown>]>([
    ['of a connected account', (event) => ({ ...event, account: 'acct_1' })],
    [
      'of a PaymentIntent that has nothing to do with us',
      (event) => withObject(event, { id: 'pi_theirs', metadata: {} }),
    ],
    [
      'of a payment of another Holdfast',
      (event) => withObject(event, { metadata: { holdfast_payment: randomUUID() } }),
    ],
    ['of another PaymentIntent that names our payment', (event) => withObject(event, { id: 'pi_theirs' })],
  ])('%s changes nothing', async (_, change) => {
    const { payment, event } = await paidUnseen(3400);
    await untilProcessed(await deliver([change(event)]));
    expect(await payments.client.find(payment['id'])).toMatchObject({ status: 'requires_action', capturedAmount: 0 });
    await age(payment['id'], 0);
    await payments.client.untilStatus(payment['id'], 'succeeded');
  });

  it('of a kind that we do not know is no concern of ours', async () => {
    const { body } = await holdfast.sender.stripe(stripeEvent('customer.created'));
    await holdfast.eventIn('IGNORED', body['id']);
  });
});

function withObject(event: Record<string, unknown>, change: object): Record<string, unknown> {
  return { ...event, data: { object: { ...(event['data'] as { object: object }).object, ...change } } };
}

describe('a call of which no answer comes', () => {
  const FAULTS = [
    'resetBefore',
    'resetAfter',
    'hang',
    'truncated',
    'drip',
    'html502Before',
    'html502After',
    'json503',
    'stored500Before',
    'stored500After',
    'inUse',
  ] as const satisfies readonly Fault[];
  const KINDS = ['create', 'capture', 'refund'] as const;
  type Kind = (typeof KINDS)[number];
  const CASES = KINDS.flatMap((kind) => FAULTS.map((fault) => [kind, fault] as const));

  interface Outcome {
    readonly answer: Answer;
    readonly payment: Shown;
    readonly funds: number;
  }
  const outcomes = new Map<string, Outcome>();

  /** All at once: those that hang do so for a whole deadline of 20 s. */
  beforeAll(async () => {
    await Promise.all(
      CASES.map(async ([kind, fault], at) => {
        outcomes.set(`${kind} ${fault}`, await run(kind, fault, at % 2 === 0));
      }),
    );
  });

  async function run(kind: Kind, fault: Fault, isVerified: boolean): Promise<Outcome> {
    const { answer, id } = await send(kind, fault);
    // Stripe replays a stored 500 for as long as it keeps the key; else a minute says what is not there.
    await age(id, fault === 'stored500Before' ? 24 : 0.1);
    await waitFor(
      async () => {
        if (isVerified) await payments.client.post(`payments/${String(id)}/verify`);
        const { operations } = await payments.client.find(id);
        return !(operations as Shown[]).some(({ outcome }) => outcome === 'pending' || outcome === 'unknown');
      },
      { what: `the ${kind} with ${fault} to be over`, interval: 200 },
    );
    const payment = await payments.client.find(id);
    return { answer, payment, funds: await payments.client.fundsOf(payment['userId']) };
  }

  async function send(kind: Kind, fault: Fault): Promise<{ answer: Answer; id: unknown }> {
    if (kind === 'create') {
      const description = randomUUID();
      stripe.failNext('create', fault, (params) => params['description'] === description);
      const answer = await take(1000, { providerPaymentMethod: 'pm_card_visa', description });
      return { answer, id: answer.body['id'] };
    }
    const { id, providerReference } = await paid(1000, kind === 'capture' ? { capture: 'manual' } : {});
    const isThis = (params: Record<string, unknown>, intent: unknown) =>
      intent === providerReference || params['payment_intent'] === providerReference;
    stripe.failNext(kind, fault, isThis);
    const answer = await payments.client.post(`payments/${String(id)}/${kind === 'refund' ? 'refunds' : kind}`, {
      amount: 400,
    });
    return { answer, id };
  }

  const outcomeOf = (kind: Kind, fault: Fault): Outcome => {
    const outcome = outcomes.get(`${kind} ${fault}`);
    if (outcome === undefined) throw new Error('It was not run');
    return outcome;
  };

  it.each(FAULTS)('with %s: a charge is made once, and known', (fault) => {
    const { answer, payment, funds } = outcomeOf('create', fault);
    expect(answer).toMatchObject({ status: 202, body: { status: 'unknown' } });
    const isMade = fault !== 'stored500Before';
    expect(payment).toMatchObject({ status: isMade ? 'succeeded' : 'failed', capturedAmount: isMade ? 1000 : 0 });
    expect([stripe.intentsOf(payment['id']).length, funds]).toEqual(isMade ? [1, 1000] : [0, 0]);
    expectOneKey(payment, 'create');
  });

  it.each(FAULTS)('with %s: a capture is made once, and known', (fault) => {
    const { answer, payment, funds } = outcomeOf('capture', fault);
    expect(answer).toMatchObject({ status: 202, body: { status: 'unknown' } });
    const isMade = fault !== 'stored500Before';
    expect(payment).toMatchObject({
      status: isMade ? 'succeeded' : 'requires_capture',
      capturedAmount: isMade ? 400 : 0,
    });
    const [intent] = stripe.intentsOf(payment['id']);
    expect([intent?.amount_received, funds]).toEqual(isMade ? [400, 400] : [0, 0]);
    expectOneKey(payment, 'capture');
  });

  it.each(FAULTS)('with %s: a refund is made once, and known', (fault) => {
    const { answer, payment, funds } = outcomeOf('refund', fault);
    expect(answer).toMatchObject({ status: 202, body: { status: 'unknown' } });
    const isMade = fault !== 'stored500Before';
    expect(payment).toMatchObject({ refundedAmount: isMade ? 400 : 0, refundableAmount: isMade ? 600 : 1000 });
    expect([stripe.refundsOf(payment['id']).length, funds]).toEqual(isMade ? [1, 600] : [0, 1000]);
    expectOneKey(payment, 'refund');
  });

  /** However often it was sent, it was under the operation's id. */
  function expectOneKey(payment: Shown, kind: Kind): void {
    const operation = (payment['operations'] as Shown[]).find((each) => each['kind'] === kind);
    const reference = payment['providerReference'];
    const isThis = ({ id, params }: { id?: unknown; params: Record<string, unknown> }) =>
      id === reference ||
      params['payment_intent'] === reference ||
      (params['metadata'] as Shown | undefined)?.['holdfast_payment'] === payment['id'];
    const keys = stripe.callsOf(kind, isThis).map(({ key }) => key);
    expect(new Set(keys)).toEqual(new Set([operation?.['id']]));
  }
});

import { describe, expect, it } from '@jest/globals';
import { expectProblem } from '../support/http-answer.js';
import type { Paid } from '../support/paystack-account.js';
import { PAYSTACK_FAULTS, type PaystackFault } from '../support/paystack-api.js';
import { type Fields, PAYSTACK_KEY, paystackUnderTest, referenceOf } from '../support/paystack-under-test.js';
import { waitFor } from '../support/wait-for.js';
import { newUserId } from '../support/wallet-client.js';

const paystack = paystackUnderTest();
const { create, created, paid, payment, paymentWith, fundsOf, deliver, post, anHourLater } = paystack;

/** What Paystack was asked to make for this payment. */
function initialized(of: Fields): Fields[] {
  return paystack.api.requests
    .filter(({ path, body }) => path === '/transaction/initialize' && body['reference'] === referenceOf(of))
    .map(({ body }) => body);
}

describe('a payment through Paystack', () => {
  it('says where the customer pays', async () => {
    const made = await created();
    const { accessCode } = paystack.api.account.known(referenceOf(made));
    expect(made).toMatchObject({
      mode: 'test',
      providerReference: referenceOf(made),
      authorizationUrl: `https://checkout.paystack.com/${accessCode}`,
      accessCode,
      capturedAmount: 0,
    });
    const [sent] = initialized(made);
    expect(sent).toMatchObject({ email: 'ann@example.com', amount: 10_000, currency: 'NGN' });
    expect(JSON.parse(String(sent?.['metadata']))).toEqual({
      holdfast_payment: made['id'],
      holdfast_operation: expect.any(String),
    });
  });

  it('is credited once, however often and in whatever form the event comes', async () => {
    const made = await created();
    paystack.api.account.pay(referenceOf(made));
    const event = paystack.api.chargeSuccess(referenceOf(made));
    const { id: _, ...unnumbered } = (event as { data: Fields }).data;
    const asked = `/api/payments/${String(made['id'])}/verify`;
    await Promise.all([
      deliver(event),
      deliver(event),
      deliver({ event: 'charge.success', data: unnumbered }),
      post(asked),
      post(asked),
    ]);
    expect(await payment(made['id'])).toMatchObject({
      status: 'succeeded',
      capturedAmount: 10_000,
      settledTo: 'wallet',
    });
    expect(await fundsOf(made)).toBe(10_000);
  });

  it('is credited by asking, and the event that comes late changes nothing', async () => {
    const made = await created();
    expect((await post(`/api/payments/${String(made['id'])}/verify`)).body).toMatchObject({
      status: 'requires_action',
    });
    paystack.api.account.pay(referenceOf(made));
    expect((await post(`/api/payments/${String(made['id'])}/verify`)).body).toMatchObject({ status: 'succeeded' });
    await deliver(paystack.api.chargeSuccess(referenceOf(made)));
    expect(await fundsOf(made)).toBe(10_000);
    expect((await payment(made['id']))['transitions']).toMatchObject([{}, {}, { to: 'succeeded', source: 'api' }]);
  });

  it('is credited by itself when no event comes', async () => {
    const made = await created();
    paystack.api.account.pay(referenceOf(made));
    await anHourLater(made['id']);
    await paymentWith(made['id'], { status: 'succeeded' });
    expect(await fundsOf(made)).toBe(10_000);
  });

  it('that failed succeeds when the customer tries again', async () => {
    const made = await created();
    const transaction = paystack.api.account.known(referenceOf(made));
    transaction.status = 'failed';
    await post(`/api/payments/${String(made['id'])}/verify`);
    expect(await payment(made['id'])).toMatchObject({ status: 'failed', failure: { code: 'charge_failed' } });
    paystack.api.account.pay(referenceOf(made));
    await deliver(paystack.api.chargeSuccess(referenceOf(made)));
    expect(await payment(made['id'])).toMatchObject({ status: 'succeeded', failure: null });
  });

  it.each<[string, Paid]>([
    ['with a fee that the customer pays', { amount: 10_150, requestedAmount: 10_000 }],
    ['in texts', { amount: '10150', requestedAmount: '10000' }],
    ['without saying what was asked for', { requestedAmount: null }],
    ['without metadata', { metadata: '' }],
    ['with metadata of somebody else', { metadata: { holdfast_payment: '0198f1a2-0000-7000-8000-000000000001' } }],
  ])('%s is credited as it was asked for', async (_, as) => {
    const [told, asked] = [await created(), await created()];
    for (const made of [told, asked]) paystack.api.account.pay(referenceOf(made), as);
    await deliver(paystack.api.chargeSuccess(referenceOf(told)));
    await post(`/api/payments/${String(asked['id'])}/verify`);
    for (const made of [told, asked]) expect(await fundsOf(made)).toBe(10_000);
  });

  it.each<[string, Paid, string]>([
    ['of less', { amount: 9000, requestedAmount: 10_000 }, '90.00 NGN was received instead of 100.00 NGN'],
    ['in another currency', { currency: 'GHS' }, '100.00 GHS was received instead of 100.00 NGN'],
    ['of another domain', { domain: 'live' }, 'asked for in test mode and received in live mode'],
  ])('%s goes to suspense', async (_, as, review) => {
    const made = await created();
    paystack.api.account.pay(referenceOf(made), as);
    await deliver(paystack.api.chargeSuccess(referenceOf(made)));
    expect(await payment(made['id'])).toMatchObject({
      settledTo: 'suspense',
      review: expect.stringContaining(review),
    });
    expect(await fundsOf(made)).toBe(0);
  });

  it('is not changed by what is said of others', async () => {
    const made = await created();
    paystack.api.account.pay(referenceOf(made));
    const { data } = paystack.api.chargeSuccess(referenceOf(made)) as { data: Fields };
    await deliver({ event: 'charge.success', data: { ...data, id: 1, reference: 'T685312322670591' } });
    await deliver({ event: 'charge.success', data: { ...data, id: 2, reference: `${referenceOf(made)}=` } });
    expect(await payment(made['id'])).toMatchObject({ status: 'requires_action', capturedAmount: 0 });
  });

  it('is not changed by another account of Paystack', async () => {
    const made = await created();
    const secret = 'sk_test_of_another_account';
    const source = { name: 'paystack-of-a-friend', provider: 'paystack', secret };
    expect((await post('/api/webhook-sources', source)).status).toBe(201);
    paystack.api.account.pay(referenceOf(made));
    const event = paystack.api.chargeSuccess(referenceOf(made));
    const options = { secret, path: '/webhooks/paystack-of-a-friend' };
    const { body } = await paystack.holdfast.sender.send('paystack', event, options);
    await paystack.holdfast.eventIn('PROCESSED', body['id']);
    expect(await payment(made['id'])).toMatchObject({ status: 'requires_action', capturedAmount: 0 });
  });

  it('is left as it is by an event that cannot be read, which waits for somebody', async () => {
    const made = await created();
    paystack.api.account.pay(referenceOf(made), { amount: 'a lot' });
    const event = paystack.api.chargeSuccess(referenceOf(made));
    const { body } = await paystack.api.deliver(paystack.holdfast.server.url, event);
    await paystack.holdfast.eventIn('DEAD_LETTER', body['id']);
    expect(await payment(made['id'])).toMatchObject({ status: 'requires_action' });
  });
});

describe('a payment that Paystack cannot carry', () => {
  it.each<[string, object]>([
    ['without an e-mail address', { email: null }],
    ['to be captured later', { capture: 'manual' }],
    ['in euros', { currency: 'EUR' }],
    ['by a means of payment of its own', { providerPaymentMethod: 'AUTH_uh8bcl3zbn' }],
  ])('%s is refused before anything is sent', async (_, fields) => {
    // Others that are open may be asked about at any moment.
    const sent = () => paystack.api.requests.filter(({ method }) => method !== 'GET').length;
    const before = sent();
    expectProblem(await create(fields), 400, 'VALIDATION_FAILED');
    expect(sent()).toBe(before);
  });

  it('fails with the reason when Paystack refuses it', async () => {
    const { account } = paystack.api;
    const all = account.currencies;
    account.currencies = ['NGN'];
    const { status, body } = await create({ currency: 'KES' });
    account.currencies = all;
    expect({ status, body }).toMatchObject({
      status: 201,
      body: { status: 'failed', failure: { code: 'invalid_params', message: 'Currency not supported by merchant' } },
    });
  });
});

describe('the wallet', () => {
  it('is paid into by initialize and verify', async () => {
    const userId = newUserId();
    const { status, body } = await post('/api/wallet/initialize', {
      userId,
      amount_usd: 10.1,
      email: 'ann@example.com',
    });
    expect(status).toBe(201);
    const made = body['payment'] as Fields;
    const { accessCode } = paystack.api.account.known(referenceOf(made));
    expect(body).toMatchObject({ accessCode, authorizationUrl: `https://checkout.paystack.com/${accessCode}` });
    const reference = String(body['reference']);
    const verify = async () => (await paystack.wallet.get(`verify/${reference}`)).body;
    expect(await verify()).toMatchObject({ status: 'requires_action' });
    paystack.api.account.pay(referenceOf(made));
    expect(await verify()).toMatchObject({ status: 'succeeded' });
    expect(await verify()).toMatchObject({ status: 'succeeded' });
    expect((await post('/api/wallet/verify', { reference: referenceOf(made) })).body).toMatchObject({ id: made['id'] });
    expect(await paystack.wallet.fundsOf(userId)).toBe(1010);
  });

  it('asks for an e-mail address', async () => {
    const answer = await post('/api/wallet/initialize', { userId: newUserId(), amount_usd: '10.10' });
    expectProblem(answer, 400, 'VALIDATION_FAILED');
  });
});

describe('a creation that goes wrong on the way', () => {
  const faults = PAYSTACK_FAULTS.filter((fault) => fault !== 'twice');

  /** Resolves once the call has been sent, with the answer to come. */
  async function createWith(fault: PaystackFault): Promise<{ answer: Promise<Fields> }> {
    const email = `${newUserId()}@example.com`;
    paystack.api.failNext('POST /transaction/initialize', fault, (body) => body['email'] === email);
    const answer = create({ email, reference: email }).then(({ status, body }) => {
      expect({ fault, status, body }).toMatchObject({
        status: 202,
        body: { status: 'unknown', authorizationUrl: null },
      });
      return body;
    });
    await waitFor(() => paystack.api.requests.some(({ body }) => body['email'] === email));
    return { answer };
  }

  it('ends with one transaction or none, and the state says which', async () => {
    const creations: { fault: PaystackFault; answer: Promise<Fields> }[] = [];
    for (const fault of faults) creations.push({ fault, ...(await createWith(fault)) });
    for (const { fault, answer } of creations) {
      const made = await answer;
      // Its answer may still come: nobody knows yet.
      const { body } = await post(`/api/payments/${String(made['id'])}/verify`);
      expect({ fault, body }).toMatchObject({ body: { status: 'unknown' } });
      await anHourLater(made['id']);
      const code = fault.endsWith('after') ? 'authorization_url_lost' : 'not_executed';
      await paymentWith(made['id'], { status: 'failed', failure: { code } });
      expect(initialized(made)).toHaveLength(1);
      expect(paystack.api.account.transactions.has(referenceOf(made))).toBe(fault.endsWith('after'));
    }
    const first = await creations[0]?.answer;
    await created({ userId: first?.['userId'], reference: first?.['reference'] });
  });

  it('is credited when it is paid all the same', async () => {
    const made = await (await createWith('reset after')).answer;
    await anHourLater(made['id']);
    await paymentWith(made['id'], { status: 'failed', failure: { code: 'authorization_url_lost' } });
    paystack.api.account.pay(referenceOf(made));
    await deliver(paystack.api.chargeSuccess(referenceOf(made)));
    expect(await payment(made['id'])).toMatchObject({ status: 'succeeded', settledTo: 'wallet' });
    expect(await fundsOf(made)).toBe(10_000);
  });

  it('is credited when the event comes first', async () => {
    const email = 'slow@example.com';
    paystack.api.failNext('POST /transaction/initialize', 'hang after', (body) => body['email'] === email);
    const creating = create({ email });
    const transaction = await waitFor(() =>
      [...paystack.api.account.transactions.values()].find((each) => each.email === email),
    );
    paystack.api.account.pay(transaction.reference);
    await deliver(paystack.api.chargeSuccess(transaction.reference));
    const id = transaction.reference.slice('hf-'.length);
    expect(await payment(id)).toMatchObject({ status: 'succeeded', settledTo: 'wallet' });
    paystack.api.endHanging();
    expect((await creating).body).toMatchObject({ id, status: 'succeeded' });
  });

  it('is found by its reference when something on the way sent it twice', async () => {
    paystack.api.failNext('POST /transaction/initialize', 'twice');
    const { status, body } = await create();
    expect({ status, body }).toMatchObject({
      status: 201,
      body: { status: 'failed', failure: { code: 'authorization_url_lost' }, providerReference: referenceOf(body) },
    });
  });

  it('stays open while Paystack cannot be asked', async () => {
    const made = await (await createWith('html 502 before')).answer;
    paystack.api.failNext('GET /transaction/verify', 'html 502 before');
    await paystack.holdfast.sql(
      `UPDATE provider_operations SET created_at = created_at - interval '1 hour' WHERE payment = $1`,
      [made['id']],
    );
    expect((await post(`/api/payments/${String(made['id'])}/verify`)).body).toMatchObject({ status: 'unknown' });
    expect((await post(`/api/payments/${String(made['id'])}/verify`)).body).toMatchObject({ status: 'failed' });
  });
});

describe('a payment that is given up', () => {
  it('is canceled by us alone, and goes to suspense when it is paid all the same', async () => {
    const made = await created();
    expect((await post(`/api/payments/${String(made['id'])}/cancel`)).body).toMatchObject({ status: 'canceled' });
    paystack.api.account.pay(referenceOf(made));
    await deliver(paystack.api.chargeSuccess(referenceOf(made)));
    expect(await payment(made['id'])).toMatchObject({
      status: 'canceled',
      settledTo: 'suspense',
      review: 'It succeeded after it was canceled',
    });
    expect(await fundsOf(made)).toBe(0);
  });

  it('is not when the customer has paid it', async () => {
    const made = await created();
    paystack.api.account.pay(referenceOf(made));
    const refused = await post(`/api/payments/${String(made['id'])}/cancel`);
    expectProblem(refused, 409, 'PROVIDER_REFUSED');
    await paymentWith(made['id'], { status: 'succeeded', settledTo: 'wallet' });
  });

  it('is not when Paystack does not say how it stands', async () => {
    const made = await created();
    paystack.api.failNext('GET /transaction/verify', 'reset before');
    expectProblem(await post(`/api/payments/${String(made['id'])}/cancel`), 409, 'PROVIDER_REFUSED');
    expect(await payment(made['id'])).toMatchObject({ status: 'requires_action' });
  });
});

describe('the books', () => {
  it('are right, and the key is in no log', async () => {
    await paid();
    await paystack.wallet.expectIntegrity();
    expect(paystack.holdfast.server.output()).not.toContain(PAYSTACK_KEY);
  });
});

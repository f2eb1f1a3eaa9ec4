import { randomUUID } from 'node:crypto';
import { afterEach, describe, expect, it } from '@jest/globals';
import { expectProblem } from '../support/http-answer.js';
import { PaymentsClient, type Shown } from '../support/payments-client.js';
import { serverUnderTest } from '../support/server-under-test.js';
import { userToken } from '../support/user-token.js';
import { waitFor } from '../support/wait-for.js';
import { newUserId, WalletClient } from '../support/wallet-client.js';

const holdfast = serverUnderTest();
const payments = {
  get client() {
    return new PaymentsClient(holdfast.server);
  },
};

/** What the sandbox says it holds for us, and what the books say. */
async function expectClearingToBalance(): Promise<void> {
  const [atProvider] = await holdfast.sql<{ held: string }>(
    `SELECT coalesce(sum(received), 0) - (
       SELECT coalesce(sum(amount), 0) FROM sandbox_refunds WHERE status = 'succeeded'
     ) - (
       SELECT coalesce(sum(amount), 0) FROM sandbox_disputes WHERE status IN ('needs_response', 'lost')
     ) AS held FROM sandbox_charges`,
  );
  const [inBooks] = await holdfast.sql<{ balance: string }>(
    `SELECT coalesce(sum(balance), 0) AS balance FROM ledger_accounts WHERE owner = 'clearing:sandbox:test'`,
  );
  expect(Number(atProvider?.held) + Number(inBooks?.balance)).toBe(0);
}

/** Everything the sandbox has to say has been heard. */
async function untilQuiet(): Promise<void> {
  await waitFor(
    async () => {
      const [open] = await holdfast.sql<{ events: number }>(
        `SELECT (SELECT count(*) FROM sandbox_events)::integer
           + (SELECT count(*) FROM webhook_events WHERE status NOT IN ('PROCESSED', 'IGNORED'))::integer
           + (SELECT count(*) FROM payments WHERE rings > 0)::integer
           + (SELECT count(*) FROM provider_operations WHERE outcome IN ('pending', 'unknown'))::integer AS events`,
      );
      return open?.events === 0;
    },
    { timeout: 40_000, what: 'all events of the sandbox to be processed' },
  );
}

afterEach(async () => {
  await untilQuiet();
  await expectClearingToBalance();
  await new WalletClient(holdfast.server).expectIntegrity();
});

async function charges(payment: unknown): Promise<number> {
  const rows = await holdfast.sql('SELECT FROM sandbox_charges WHERE payment = $1', [payment]);
  return rows.length;
}

describe('a payment', () => {
  it('credits the wallet with what the provider received, and shows what happened', async () => {
    const metadata = { facility: 'north', order: 7 };
    const { status, body } = await payments.client.create(1234, {
      reference: `order-${randomUUID()}`,
      paymentMethod: 'CREDIT_CARD',
      description: 'Two coffees',
      metadata,
    });
    expect(status).toBe(201);
    expect(body).toMatchObject({
      status: 'succeeded',
      provider: 'sandbox',
      mode: 'test',
      providerReference: expect.stringMatching(/^ch_/),
      amount: 1234,
      capturedAmount: 1234,
      refundedAmount: 0,
      refundableAmount: 1234,
      settledTo: 'wallet',
      review: null,
      failure: null,
      paymentMethod: 'CREDIT_CARD',
      metadata,
    });
    expect(await payments.client.fundsOf(body['userId'])).toBe(1234);
    const detail = await payments.client.find(body['id']);
    expect(detail['transitions']).toMatchObject([
      { from: null, to: 'created', source: 'api' },
      { from: 'created', to: 'succeeded' },
    ]);
    expect(detail['operations']).toMatchObject([{ kind: 'create', outcome: 'succeeded' }]);
  });

  it('that the bank declines is an answer and no error', async () => {
    const { status, body } = await payments.client.create(4001);
    expect(status).toBe(201);
    expect(body).toMatchObject({
      status: 'failed',
      failure: { code: 'card_declined', declineCode: 'insufficient_funds', message: expect.any(String) },
      capturedAmount: 0,
    });
    expect(await payments.client.fundsOf(body['userId'])).toBe(0);
  });

  it('that is declined and then paid with another card succeeds', async () => {
    const { body } = await payments.client.create(4002);
    expect(body['status']).toBe('failed');
    await payments.client.untilStatus(body['id'], 'succeeded');
    expect(await payments.client.fundsOf(body['userId'])).toBe(4002);
  });

  it('for which the customer has to act succeeds once they have', async () => {
    const { status, body } = await payments.client.create(4003);
    expect({ status, body }).toMatchObject({ status: 201, body: { status: 'requires_action' } });
    const page = await fetch(String(body['authorizationUrl']));
    expect(await page.text()).toContain('<button>Pay</button>');
    const pressed = await fetch(String(body['authorizationUrl']), { method: 'POST' });
    expect(pressed.status).toBe(200);
    await payments.client.untilStatus(body['id'], 'succeeded');
    expect(await payments.client.fundsOf(body['userId'])).toBe(4003);
  });

  it('that takes its time is answered with 202, and becomes known by itself', async () => {
    const { status, body } = await payments.client.create(4004);
    expect({ status, body }).toMatchObject({ status: 202, body: { status: 'processing' } });
    const done = await payments.client.untilStatus(body['id'], 'succeeded');
    expect(done['transitions']).toMatchObject([{ to: 'created' }, { to: 'processing' }, { to: 'succeeded' }]);
  });

  it.each([
    ['late', 4007],
    ['twice', 4008],
    ['before the answer', 4009],
    ['never', 4010],
  ])('credits once when its webhook comes %s', async (_when, amount) => {
    const { body } = await payments.client.create(amount);
    await payments.client.untilStatus(body['id'], 'succeeded');
    await untilQuiet();
    expect(await payments.client.fundsOf(body['userId'])).toBe(amount);
  });

  it.each([
    ['the answer never came', 4005],
    ['the answer was an error', 4006],
    ['the connection broke after it', 4012],
    ['the connection broke before it', 4013],
  ])('is made once, and becomes known by itself, when %s', async (_what, amount) => {
    const { status, body } = await payments.client.create(amount);
    expect([201, 202]).toContain(status);
    expect(['unknown', 'succeeded']).toContain(body['status']);
    await payments.client.untilStatus(body['id'], 'succeeded');
    await untilQuiet();
    expect(await charges(body['id'])).toBe(1);
    expect(await payments.client.fundsOf(body['userId'])).toBe(amount);
  });

  it('is 202 from initialize as well', async () => {
    const { status, body } = await payments.client.post('wallet/initialize', {
      userId: newUserId(),
      amount_usd: 40.06,
    });
    const payment = body['payment'] as Shown;
    expect({ status, charge: payment['status'] }).toEqual({ status: 202, charge: 'unknown' });
    await payments.client.untilStatus(payment['id'], 'succeeded');
  });

  it('becomes known when it is verified, by many at once, and credits once', async () => {
    const { body } = await payments.client.create(4013);
    const verified = await Promise.all(
      Array.from({ length: 20 }, () => payments.client.post(`payments/${String(body['id'])}/verify`)),
    );
    expect(verified.map(({ status }) => status)).toEqual(Array.from({ length: 20 }, () => 200));
    await payments.client.untilStatus(body['id'], 'succeeded');
    expect(await charges(body['id'])).toBe(1);
    expect(await payments.client.fundsOf(body['userId'])).toBe(4013);
  });

  it('that stays open is looked at by itself, each time later, and no more once it is over', async () => {
    const { body } = await payments.client.create(4003);
    const row = async () => {
      const [found] = await holdfast.sql<{ checks: number; waits: string | null }>(
        'SELECT checks, extract(epoch FROM next_check_at - now()) AS waits FROM payments WHERE id = $1',
        [body['id']],
      );
      return found;
    };
    const look = async (times: number) => {
      await holdfast.sql('UPDATE payments SET next_check_at = now() WHERE id = $1', [body['id']]);
      await waitFor(async () => ((await row())?.checks ?? 0) >= times, { what: `look ${times}` });
    };
    for (const times of [1, 2, 3]) await look(times);
    expect(Number((await row())?.waits)).toBeGreaterThan(15);
    await fetch(String(body['authorizationUrl']), { method: 'POST' });
    await payments.client.untilStatus(body['id'], 'succeeded');
    await waitFor(async () => (await row())?.waits === null, { what: 'the last look' });
  });

  it('is made once under one key, whoever is first', async () => {
    const [key, request] = [randomUUID(), { userId: newUserId(), amount: 500, currency: 'USD' }];
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => payments.client.post('payments', request, { key })),
    );
    const made = answers.filter(({ status }) => status === 201);
    expect(made.length).toBeGreaterThan(0);
    expect(new Set(made.map(({ text }) => text)).size).toBe(1);
    for (const { status } of answers) expect([201, 409]).toContain(status);
    const again = await payments.client.post('payments', request, { key });
    expect(again.headers.get('x-idempotent-replay')).toBe('true');
    expect(again.text).toBe(made[0]?.text);
    expect(await payments.client.fundsOf(request.userId)).toBe(500);
  });

  it('is refused while another for the same order is open, and not after that has failed', async () => {
    const order = { userId: newUserId(), reference: 'order-1' };
    const failed = await payments.client.create(4001, order);
    expect(failed.status).toBe(201);
    const both = await Promise.all([payments.client.create(300, order), payments.client.create(300, order)]);
    expect(both.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([201, 409]);
    expectProblem(
      both.find(({ status }) => status === 409)!,
      409,
      'PAYMENT_ALREADY_OPEN',
    );
    expect(await payments.client.fundsOf(order.userId)).toBe(300);
  });

  it.each([
    ['no key', { amount: 100 }, { key: null }, 'IDEMPOTENCY_KEY_REQUIRED'],
    ['a fraction', { amount: 1.5 }, {}, 'VALIDATION_FAILED'],
    ['nothing', { amount: 0 }, {}, 'VALIDATION_FAILED'],
    ['an unknown currency', { currency: 'XXX' }, {}, 'VALIDATION_FAILED'],
    ['a provider that is not configured', { provider: 'stripe' }, {}, 'VALIDATION_FAILED'],
    ['an unknown field', { cvc: '123' }, {}, 'VALIDATION_FAILED'],
  ])('with %s is refused', async (_what, more, sending, code) => {
    expectProblem(await payments.client.create(100, more, sending), 400, code);
  });
});

describe('a manual capture', () => {
  it('takes a part and releases the rest, once', async () => {
    const { body } = await payments.client.create(5000, { capture: 'manual' });
    expect(body).toMatchObject({ status: 'requires_capture', capturedAmount: 0 });
    expect(await payments.client.fundsOf(body['userId'])).toBe(0);
    const path = `payments/${String(body['id'])}/capture`;
    expectProblem(await payments.client.post(path, { amount: 5001 }), 409, 'CAPTURE_EXCEEDS_AUTHORIZATION');
    const captured = await payments.client.post(path, { amount: 3000 });
    expect(captured).toMatchObject({
      status: 200,
      body: { status: 'succeeded', capturedAmount: 3000, settledTo: 'wallet' },
    });
    expectProblem(await payments.client.post(path, { amount: 3000 }), 409, 'ILLEGAL_TRANSITION');
    expect(await payments.client.fundsOf(body['userId'])).toBe(3000);
  });

  it.each([4005, 4006, 4012, 4013])('is made once whatever becomes of its answer (%d)', async (amount) => {
    const { body } = await payments.client.create(9000, { capture: 'manual' });
    const captured = await payments.client.post(`payments/${String(body['id'])}/capture`, { amount });
    expect([200, 202]).toContain(captured.status);
    if (captured.status === 202) expect(captured.body['status']).toBe('unknown');
    await payments.client.untilStatus(body['id'], 'succeeded');
    expect(await payments.client.fundsOf(body['userId'])).toBe(amount);
  });

  it('and a cancellation at the same time: one of them wins', async () => {
    const { body } = await payments.client.create(700, { capture: 'manual' });
    const id = String(body['id']);
    const answers = await Promise.all([
      payments.client.post(`payments/${id}/capture`),
      payments.client.post(`payments/${id}/cancel`),
    ]);
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    for (const { status, body: problem } of answers.filter((answer) => answer.status !== 200)) {
      expect({ status, problem }).toMatchObject({
        status: 409,
        problem: { code: expect.stringMatching(/BUSY|ILLEGAL/) },
      });
    }
    const payment = await payments.client.find(id);
    const succeeded = payment['status'] === 'succeeded';
    expect(['succeeded', 'canceled']).toContain(payment['status']);
    expect(await payments.client.fundsOf(body['userId'])).toBe(succeeded ? 700 : 0);
  });
});

describe('a refund', () => {
  const refund = (payment: Shown, amount?: number) =>
    payments.client.post(`payments/${String(payment['id'])}/refunds`, { ...(amount !== undefined && { amount }) });

  it('takes the money out of the wallet, in parts, up to what was captured', async () => {
    const { body } = await payments.client.create(1000);
    expect(await refund(body, 400)).toMatchObject({ status: 201, body: { status: 'succeeded', amount: 400 } });
    expectProblem(await refund(body, 601), 409, 'REFUND_EXCEEDS_CAPTURED');
    expect(await refund(body)).toMatchObject({ status: 201, body: { amount: 600 } });
    expectProblem(await refund(body), 409, 'REFUND_EXCEEDS_CAPTURED');
    expect(await payments.client.find(body['id'])).toMatchObject({
      status: 'succeeded',
      refundedAmount: 1000,
      refundableAmount: 0,
      refunds: [{ amount: 400 }, { amount: 600 }],
    });
    expect(await payments.client.fundsOf(body['userId'])).toBe(0);
  });

  it('of 60 and one of 60 out of 100 at the same time: one call', async () => {
    const { body } = await payments.client.create(100);
    const answers = await Promise.all([refund(body, 60), refund(body, 60)]);
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([201, 409]);
    const made = await holdfast.sql('SELECT FROM sandbox_refunds WHERE charge = $1', [body['providerReference']]);
    expect(made).toHaveLength(1);
    expect(await payments.client.fundsOf(body['userId'])).toBe(40);
  });

  it('of money that the user has spent is refused without a call', async () => {
    const { body } = await payments.client.create(800);
    const spent = await payments.client.post('wallet/transactions', {
      userId: body['userId'],
      type: 'DEBIT',
      amount: 700,
      currency: 'USD',
    });
    expect(spent.status).toBe(201);
    expectProblem(await refund(body), 402, 'INSUFFICIENT_FUNDS');
    expect((await payments.client.find(body['id']))['operations']).toMatchObject([{ kind: 'create' }]);
  });

  it("that the customer's bank sends back returns the money to the wallet, once", async () => {
    const { body } = await payments.client.create(4011);
    expect(await refund(body)).toMatchObject({ status: 201, body: { status: 'succeeded' } });
    await waitFor(async () => (await payments.client.fundsOf(body['userId'])) === 4011);
    expect(await payments.client.find(body['id'])).toMatchObject({
      refundedAmount: 0,
      refundableAmount: 4011,
      refunds: [{ status: 'failed', failure: { code: 'refund_failed' } }],
    });
  });

  it.each([4005, 4006, 4012, 4013])('is made once whatever becomes of its answer (%d)', async (amount) => {
    const { body } = await payments.client.create(9000);
    const answer = await refund(body, amount);
    expect([201, 202]).toContain(answer.status);
    await waitFor(async () => {
      const { refunds } = (await payments.client.find(body['id'])) as { refunds: Shown[] };
      return refunds[0]?.['status'] === 'succeeded';
    });
    const made = await holdfast.sql('SELECT FROM sandbox_refunds WHERE charge = $1', [body['providerReference']]);
    expect(made).toHaveLength(1);
    expect(await payments.client.fundsOf(body['userId'])).toBe(9000 - amount);
  });
});

describe('money into a wallet', () => {
  it.each([
    [10.1, 1010],
    ['10.10', 1010],
    [0.29, 29],
  ])('of %p dollars is %d cents', async (dollars, cents) => {
    const userId = newUserId();
    const { status, body } = await payments.client.post('wallet/initialize', { userId, amount_usd: dollars });
    expect(status).toBe(201);
    expect(body).toMatchObject({ reference: expect.any(String), payment: { amount: cents, currency: 'USD' } });
    const verified = await payments.client.get(`wallet/verify/${String(body['reference'])}`);
    expect(verified).toMatchObject({ status: 200, body: { status: 'succeeded', capturedAmount: cents } });
    expect(await payments.client.fundsOf(userId)).toBe(cents);
  });

  it.each([
    ['finer than cents', { amount_usd: 10.005 }],
    ['given twice', { amount_usd: 1, amount: 100, currency: 'USD' }],
    ['without a currency', { amount: 100 }],
    ['of nothing', { amount_usd: 0 }],
  ])('that is %s is refused', async (_what, body) => {
    const answer = await payments.client.post('wallet/initialize', { userId: newUserId(), ...body });
    expectProblem(answer, 400, 'VALIDATION_FAILED');
  });
});

describe('a reference', () => {
  it('that several users have chosen answers for none of them to a service', async () => {
    const reference = `order-${randomUUID()}`;
    const [ann, ben] = [newUserId(), newUserId()];
    const anns = await payments.client.create(100, { userId: ann, reference });
    expect(await payments.client.get(`wallet/verify/${reference}`)).toMatchObject({ body: { id: anns.body['id'] } });
    await payments.client.create(1, { userId: ben, reference });
    expectProblem(await payments.client.get(`wallet/verify/${reference}`), 409, 'PAYMENT_REFERENCE_AMBIGUOUS');
    const own = await payments.client.get(`wallet/verify/${reference}`, await userToken(ann));
    expect(own).toMatchObject({ status: 200, body: { id: anns.body['id'], amount: 100 } });
  });
});

describe('a list of payments', () => {
  it('is narrowed by user, status, and facts of the caller’s own', async () => {
    const userId = newUserId();
    const first = await payments.client.create(100, { userId, metadata: { facility: 'north' } });
    const second = await payments.client.create(4001, { userId, metadata: { facility: 'south' } });
    const ids = async (query: string) =>
      ((await payments.client.get(`payments?userId=${userId}&${query}`)).body['data'] as Shown[]).map(({ id }) => id);
    expect(await ids('')).toEqual([second.body['id'], first.body['id']]);
    expect(await ids('status=failed')).toEqual([second.body['id']]);
    expect(await ids('metadata.facility=north')).toEqual([first.body['id']]);
    expect(await ids('metadata.facility=west')).toEqual([]);
    const page = await payments.client.get(`payments?userId=${userId}&limit=1`);
    expect(await ids(`cursor=${String(page.body['nextCursor'])}`)).toEqual([first.body['id']]);
    for (const query of ['metadata.a=1&metadata.a=2', 'metadata.__proto__=1', 'metadata.constructor=1'])
      expectProblem(await payments.client.get(`payments?${query}`), 400, 'VALIDATION_FAILED');
  });
});

describe('money that cannot be credited', () => {
  const freeze = async (userId: unknown) => {
    const opened = await payments.client.post('wallet/accounts', { userId, currency: 'USD' });
    const path = `wallet/accounts/${String(opened.body['id'])}`;
    const frozen = await payments.client.post(`${path}/freeze`, { reason: 'stolen card' });
    expect(frozen).toMatchObject({ status: 200, body: { frozen: true } });
    return async () => {
      const thawed = await payments.client.post(`${path}/unfreeze`, { reason: 'found again' });
      expect(thawed).toMatchObject({ status: 200, body: { frozen: false } });
    };
  };
  const reviews = async () => (await payments.client.get('payments/reviews')).body['data'] as Shown[];

  it('waits in suspense for a review, which brings it into the wallet, once', async () => {
    const userId = newUserId();
    const thaw = await freeze(userId);
    const { body } = await payments.client.create(900, { userId });
    expect(body).toMatchObject({ status: 'succeeded', settledTo: 'suspense', refundableAmount: 0 });
    expect((await reviews()).map(({ id, review }) => ({ id, review }))).toContainEqual({
      id: body['id'],
      review: expect.stringContaining('frozen'),
    });
    expectProblem(await payments.client.post(`payments/${String(body['id'])}/refunds`, {}), 409, 'ILLEGAL_TRANSITION');
    const approve = `payments/reviews/${String(body['id'])}/approve`;
    expectProblem(await payments.client.post(approve), 409, 'ACCOUNT_FROZEN');
    await thaw();
    const approved = await Promise.all([payments.client.post(approve), payments.client.post(approve)]);
    expect(approved.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 409]);
    expect(await payments.client.fundsOf(userId)).toBe(900);
    expect((await reviews()).map(({ id }) => id)).not.toContain(body['id']);
  });

  it('goes back to the customer when the review is declined', async () => {
    const userId = newUserId();
    const thaw = await freeze(userId);
    const { body } = await payments.client.create(901, { userId });
    const declined = await payments.client.post(`payments/reviews/${String(body['id'])}/decline`);
    expect(declined).toMatchObject({ status: 201, body: { status: 'succeeded', amount: 901 } });
    await thaw();
    expectProblem(
      await payments.client.post(`payments/reviews/${String(body['id'])}/approve`),
      409,
      'ILLEGAL_TRANSITION',
    );
    expect(await payments.client.find(body['id'])).toMatchObject({ refundedAmount: 901 });
    expect(await payments.client.fundsOf(userId)).toBe(0);
  });

  it('is also that of a refund that failed while the wallet was frozen, and can be approved once it is not', async () => {
    const userId = newUserId();
    const { body } = await payments.client.create(4011, { userId });
    const path = `payments/${String(body['id'])}`;
    expect((await payments.client.post(`${path}/refunds`, {})).status).toBe(201);
    const thaw = await freeze(userId);
    await waitFor(
      async () =>
        ((await payments.client.find(body['id'])) as { refunds: Shown[] }).refunds[0]?.['status'] === 'failed',
    );
    expect(await payments.client.find(body['id'])).toMatchObject({
      review: expect.stringContaining('suspense'),
      refundableAmount: 0,
    });
    expect((await reviews()).map(({ id }) => id)).toContain(body['id']);
    await thaw();
    const approved = await payments.client.post(`payments/reviews/${String(body['id'])}/approve`);
    expect(approved).toMatchObject({ status: 200, body: { review: null, refundableAmount: 4011 } });
    expect(await payments.client.fundsOf(userId)).toBe(4011);
  });

  it('is that of a user all of whose accounts are frozen', async () => {
    const userId = newUserId();
    expectProblem(await payments.client.post(`users/${userId}/freeze`, { reason: 'nobody' }), 404, 'NOT_FOUND');
    await payments.client.create(100, { userId });
    const frozen = await payments.client.post(`users/${userId}/freeze`, { reason: 'fraud' });
    expect(frozen).toMatchObject({ status: 200, body: { data: [{ userId, currency: 'USD', frozen: true }] } });
    expect((await payments.client.create(200, { userId })).body).toMatchObject({ settledTo: 'suspense' });
    await payments.client.post(`users/${userId}/unfreeze`, { reason: 'no fraud' });
    expect((await payments.client.create(300, { userId })).body).toMatchObject({ settledTo: 'wallet' });
    expect(await payments.client.fundsOf(userId)).toBe(400);
    const credential = await holdfast.keyWith('payments:write', 'wallet:write');
    expectProblem(
      await payments.client.post(`users/${userId}/freeze`, { reason: 'x' }, { credential }),
      403,
      'FORBIDDEN',
    );
  });
});

describe('an end user', () => {
  it('takes and sees payments of their own only, and neither captures nor refunds', async () => {
    const [ann, ben] = [newUserId(), newUserId()];
    const [anns, bens] = await Promise.all([userToken(ann), userToken(ben)]);
    const own = await payments.client.create(600, { userId: ann }, { credential: anns });
    expect(own.status).toBe(201);
    const unnamed = await payments.client.post('payments', { amount: 600, currency: 'USD' }, { credential: anns });
    expect(unnamed).toMatchObject({ status: 201, body: { userId: ann } });
    const nobody = await payments.client.post('payments', { amount: 600, currency: 'USD' });
    expectProblem(nobody, 400, 'VALIDATION_FAILED');
    expect(nobody.text).toContain('userId must say whose');
    expectProblem(await payments.client.create(600, { userId: ben }, { credential: anns }), 404, 'NOT_FOUND');
    const path = `payments/${String(own.body['id'])}`;
    for (const answer of [
      await payments.client.get(path, bens),
      await payments.client.get(`${path}/refunds`, bens),
      await payments.client.post(`${path}/verify`, undefined, { credential: bens }),
      await payments.client.post(`${path}/cancel`, undefined, { credential: bens }),
      await payments.client.get(`payments?userId=${ann}`, bens),
      await payments.client.get(`wallet/verify/${String(own.body['providerReference'])}`, bens),
    ])
      expectProblem(answer, 404, 'NOT_FOUND');
    expectProblem(await payments.client.post(`${path}/refunds`, {}, { credential: anns }), 403, 'FORBIDDEN');
    expectProblem(await payments.client.post(`${path}/capture`, {}, { credential: anns }), 403, 'FORBIDDEN');
    expect(((await payments.client.get('payments', anns)).body['data'] as Shown[]).map(({ id }) => id)).toEqual([
      unnamed.body['id'],
      own.body['id'],
    ]);
  });
});

describe('a key', () => {
  it('is limited for each user by itself', async () => {
    const key = { name: 'shop', scopes: ['payments:write'], limits: { payments: 2 } };
    const { body } = await holdfast.call('POST', '/api/api-keys', key);
    const credential = String(body['key']);
    const [ann, ben] = [newUserId(), newUserId()];
    const take = (userId: string) => payments.client.create(100, { userId }, { credential });
    expect((await take(ann)).status).toBe(201);
    expect((await take(ann)).status).toBe(201);
    const third = await take(ann);
    expect({ status: third.status, code: third.body['code'] }).toEqual({ status: 429, code: 'RATE_LIMIT_EXCEEDED' });
    expect(Number(third.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await take(ben)).status).toBe(201);
  });
});

describe('a key without the scope', () => {
  it('reaches no route', async () => {
    const credential = await holdfast.keyWith('wallet:write');
    const id = randomUUID();
    for (const path of [
      'payments',
      `payments/${id}/verify`,
      `payments/${id}/capture`,
      `payments/${id}/cancel`,
      `payments/${id}/refunds`,
      'wallet/initialize',
      'wallet/verify',
    ])
      expectProblem(await payments.client.post(path, {}, { credential }), 403, 'FORBIDDEN');
    for (const path of ['payments', `payments/${id}`, `payments/${id}/refunds`, 'wallet/verify/x'])
      expectProblem(await payments.client.get(path, credential), 403, 'FORBIDDEN');
  });
});

describe('what payments post', () => {
  it('can be posted by nobody else, nor reversed', async () => {
    const { body } = await payments.client.create(250);
    const forged = { userId: body['userId'], type: 'CREDIT', amount: 1, currency: 'USD', category: 'payment' };
    expectProblem(await payments.client.post('wallet/transactions', forged), 400, 'VALIDATION_FAILED');
    const [line] = await new WalletClient(holdfast.server).statementOf(String(body['userId']));
    expect(line).toMatchObject({ category: 'payment', reference: `settle:${String(body['id'])}` });
    const reversed = await payments.client.post(`wallet/transactions/${String(line?.['id'])}/reverse`);
    expectProblem(reversed, 403, 'FORBIDDEN');
  });
});

describe('the sandbox', () => {
  it('lets nobody else make charges or send events', async () => {
    const charge = { payment: randomUUID(), amount: 100, currency: 'USD', capture: 'automatic' };
    const answer = await holdfast.server.fetch('/sandbox/charges', {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'idempotency-key': randomUUID() },
      body: JSON.stringify(charge),
    });
    expect(answer.status).toBe(401);
    const event = await holdfast.server.fetch('/webhooks/sandbox', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ type: 'charge.succeeded', data: charge }),
    });
    expect(event.status).toBe(401);
  });
});

describe('what the sandbox takes back', () => {
  /** A button on the page of a charge. */
  async function press(payment: Shown, button: string): Promise<void> {
    const url = `/sandbox/pay/${String(payment['providerReference'])}`;
    const page = await (await holdfast.server.fetch(url)).text();
    expect(page).toContain(`${String(payment['providerReference'])}/${button}`);
    const { status } = await holdfast.server.fetch(`${url}/${button}`, { method: 'POST', redirect: 'manual' });
    expect(status).toBe(303);
  }

  /** A payment's sums and its disputes are read beside one another: both are waited for. */
  const disputed = (id: unknown, status: string, sums: object): Promise<Shown> =>
    waitFor(
      async () => {
        const payment = await payments.client.find(id);
        expect(payment).toMatchObject({ disputes: [{ status }], ...sums });
        return payment;
      },
      { timeout: 20_000, what: `a dispute that is ${status}` },
    );

  it.each([
    ['win', 'won', 4014],
    ['lose', 'lost', 0],
  ])('is disputed by its amount, and decided on its page: %s', async (button, status, funds) => {
    const { body } = await payments.client.create(4014);
    await disputed(body['id'], 'open', { disputedAmount: 4014, refundableAmount: 0 });
    expect(await payments.client.fundsOf(body['userId'])).toBe(0);
    expectProblem(await payments.client.post(`payments/${String(body['id'])}/refunds`, {}), 409, 'PAYMENT_DISPUTED');
    await press(body, button);
    await disputed(body['id'], status, { disputedAmount: 4014 - funds, refundableAmount: funds });
    expect(await payments.client.fundsOf(body['userId'])).toBe(funds);
  });

  it('is disputed and won by its amount', async () => {
    const { body } = await payments.client.create(4015, { capture: 'manual' });
    await payments.client.post(`payments/${String(body['id'])}/capture`, { amount: 1000 });
    const sums = { disputedAmount: 0, refundableAmount: 1000 };
    expect(await disputed(body['id'], 'won', sums)).toMatchObject({
      disputes: [{ amount: 1000, withdrawnAmount: 1000, reinstatedAmount: 1000 }],
    });
    expect(await payments.client.fundsOf(body['userId'])).toBe(1000);
  });

  it('is refunded on its page, as in a dashboard, also after it is spent', async () => {
    const { body } = await payments.client.create(900);
    const { userId } = body;
    const wallet = new WalletClient(holdfast.server);
    await wallet.post('transactions', { userId, type: 'DEBIT', amount: 200, currency: 'USD' });
    await press(body, 'refund');
    await waitFor(
      async () => {
        expect(await payments.client.find(body['id'])).toMatchObject({
          refundedAmount: 900,
          refundableAmount: 0,
          refunds: [{ origin: 'provider', amount: 900, status: 'succeeded' }],
        });
        return true;
      },
      { what: 'the refund to be adopted' },
    );
    expect(await wallet.balanceOf(String(userId))).toMatchObject({ balance: 0, debt: 200 });
  });
});

import { randomUUID } from 'node:crypto';
import { afterEach, describe, expect, it } from '@jest/globals';
import { ageAccounts, expectDeclined, expectTaken, fraudClientOf } from '../support/fraud-client.js';
import { type Answer, answerOf, expectProblem } from '../support/http-answer.js';
import { Scrape } from '../support/metrics.js';
import type { Shown } from '../support/payments-client.js';
import { serverUnderTest } from '../support/server-under-test.js';
import { userToken } from '../support/user-token.js';
import { newUserId } from '../support/wallet-client.js';

const holdfast = serverUnderTest();
const fraud = fraudClientOf(holdfast);

afterEach(() => fraud.client.noRules());

const THREE_AN_HOUR = { by: 'user', windowSeconds: 3600, limit: 3 };
const SMALL = { limit: 1000, currency: 'USD' };

const pay = (amount: number, more: object = {}, sending: object = {}): Promise<Answer> =>
  fraud.client.create(amount, more, sending);

describe('a payment that a rule declines', () => {
  it('is kept with what the rule made of it, and nothing was sent or credited', async () => {
    const rule = await fraud.client.rule('amount', SMALL);
    const [userId, reference] = [newUserId(), 'order-1'];
    const context = { ip: '192.0.2.7', country: 'DE', cardFingerprint: 'card', deviceId: 'device' };
    const id = expectDeclined(await pay(1001, { userId, reference, context }));
    const payment = await fraud.client.find(id);
    expect(payment).toMatchObject({
      status: 'declined',
      failure: { code: 'declined_by_rule' },
      capturedAmount: 0,
      providerReference: null,
      context,
      transitions: [
        { from: null, to: 'created' },
        { from: 'created', to: 'declined', source: 'api' },
      ],
      operations: [{ kind: 'create', outcome: 'failed' }],
      evaluations: [
        { rule, name: 'Secret rule about amount', outcome: 'matched', figure: 1001, threshold: 1000, mode: 'active' },
      ],
    });
    expect(await holdfast.sql('SELECT FROM sandbox_charges WHERE payment = $1', [id])).toEqual([]);
    expect(await fraud.client.fundsOf(userId)).toBe(0);
    const lines = await holdfast.sql<{ action: string }>(
      'SELECT action FROM audit_log WHERE subject = $1 ORDER BY action',
      [`payment:${id}`],
    );
    expect(lines.map(({ action }) => action)).toEqual(['payment.created', 'payment.declined']);
    const listed = await fraud.client.get(`payments?userId=${userId}&status=declined`);
    expect((listed.body['data'] as Shown[]).map((each) => each['id'])).toEqual([id]);
    expectTaken(await pay(1000, { userId, reference }));
  });

  it('is final: nobody asks for it, captures, cancels or refunds it', async () => {
    await fraud.client.rule('amount', SMALL);
    const id = expectDeclined(await pay(1001));
    const verified = await fraud.client.post(`payments/${id}/verify`);
    expect(verified).toMatchObject({ status: 200, body: { status: 'declined' } });
    for (const what of ['capture', 'cancel', 'refunds'])
      expectProblem(await fraud.client.post(`payments/${id}/${what}`, {}), 409, 'ILLEGAL_TRANSITION');
    for (const what of ['approve', 'decline'] as const)
      expectProblem(await fraud.client.decide(id, what), 409, 'ILLEGAL_TRANSITION');
    const [row] = await holdfast.sql('SELECT next_check_at FROM payments WHERE id = $1', [id]);
    expect(row).toEqual({ next_check_at: null });
  });

  it('is declined again under its key, as it was, also once the rule is gone', async () => {
    await fraud.client.rule('amount', SMALL);
    const key = randomUUID();
    const request = { userId: newUserId(), amount: 1001, currency: 'USD' };
    const first = await fraud.client.post('payments', request, { key });
    const id = expectDeclined(first);
    await fraud.client.noRules();
    const again = await fraud.client.post('payments', request, { key });
    expect({ status: again.status, text: again.text }).toEqual({ status: 402, text: first.text });
    expect(again.headers.get('x-idempotent-replay')).toBe('true');
    expect(await holdfast.sql('SELECT id FROM payments WHERE user_id = $1', [request.userId])).toEqual([{ id }]);
  });

  it('may come by way of the wallet', async () => {
    await fraud.client.rule('amount', SMALL);
    const answer = await fraud.client.post('wallet/initialize', { userId: newUserId(), amount_usd: 10.01 });
    expectDeclined(answer);
    await fraud.client.rule('list', { by: 'country', values: ['FR'], action: 'block' });
    const from = (country: string) => {
      const body = { userId: newUserId(), amount_usd: 1, context: { country } };
      return fraud.client.post('wallet/initialize', body);
    };
    expectDeclined(await from('FR'));
    expect((await from('DE')).status).toBe(201);
  });
});

describe('an end user', () => {
  it('learns neither the rule nor what it knows, and says nothing of themselves', async () => {
    await fraud.client.rule('amount', SMALL);
    const userId = newUserId();
    const credential = await userToken(userId);
    const id = expectDeclined(await pay(1001, { userId }, { credential }));
    const own = await fraud.client.get(`payments/${id}`, credential);
    expect(own).toMatchObject({ status: 200, body: { status: 'declined' } });
    expect(own.text).not.toContain('Secret');
    for (const field of ['evaluations', 'context']) expect(own.body).not.toHaveProperty(field);
    const context = { ip: '192.0.2.1' };
    expectProblem(await pay(100, { userId, context }, { credential }), 403, 'FORBIDDEN');
    expectProblem(await fraud.client.get('fraud-rules', credential), 403, 'FORBIDDEN');
  });

  it('is judged by the address they call from, and a service by the one it names', async () => {
    await fraud.client.rule('list', { by: 'ip', values: ['127.0.0.0/8'], action: 'block' });
    const userId = newUserId();
    const credential = await userToken(userId);
    const id = expectDeclined(await pay(100, { userId }, { credential }));
    expect(await fraud.client.find(id)).toMatchObject({ context: { ip: '127.0.0.1', country: null } });
    expectTaken(await pay(100, { userId }));
    expectDeclined(await pay(100, { userId, context: { ip: '127.0.0.9' } }));
  });
});

describe('the context of a payment', () => {
  it.each([
    ['ip', '192.0.2.300'],
    ['ip', '192.0.2.0/24'],
    ['country', 'Germany'],
    ['cardFingerprint', ''],
    ['deviceId', 'ä'],
    ['asn', 1],
  ])('is refused with %s %p', async (field, value) => {
    const answer = await pay(100, { context: { [field]: value } });
    expectProblem(answer, 400, 'VALIDATION_FAILED');
    expect(JSON.stringify(answer.body['details'])).toContain(`context.${field}`);
  });
});

describe('a rule in shadow mode', () => {
  it('is recorded and has no effect, and one that is off is not even evaluated', async () => {
    const shadow = await fraud.client.rule('amount', { ...SMALL, mode: 'shadow' });
    await fraud.client.rule('amount', { ...SMALL, mode: 'off' });
    const id = expectTaken(await pay(1001));
    expect(await fraud.client.find(id)).toMatchObject({ status: 'succeeded', settledTo: 'wallet' });
    expect(await fraud.client.evaluations(id)).toMatchObject([
      { rule: shadow, mode: 'shadow', action: 'decline', outcome: 'matched', figure: 1001 },
    ]);
    const changed = await holdfast.call('PATCH', `/api/fraud-rules/${shadow}`, { mode: 'active' });
    expect(changed).toMatchObject({ status: 200, body: { id: shadow, mode: 'active' } });
    expectDeclined(await pay(1001));
  });
});

describe('a payment without rules', () => {
  it('is not evaluated', async () => {
    const id = expectTaken(await pay(100));
    expect(await fraud.client.evaluations(id)).toEqual([]);
  });
});

describe('a backtest', () => {
  const backtest = (id: string, body?: object) => fraud.client.post(`fraud-rules/${id}/backtest`, body);

  it('says what the rule would have done to each payment when that was created, and does nothing', async () => {
    const userId = newUserId();
    const ids = [];
    for (let i = 0; i < 5; i++) ids.push(expectTaken(await pay(100 + i, { userId })));
    // The first is too old to count for the others, and the second for the backtest of a day.
    await holdfast.sql(`UPDATE payments SET created_at = created_at - interval '40 days' WHERE id = $1`, [ids[0]]);
    await holdfast.sql(`UPDATE payments SET created_at = created_at - interval '25 hours' WHERE id = $1`, [ids[1]]);
    const rule = await fraud.client.rule('count', { by: 'user', windowSeconds: 86_400 * 2, limit: 2, mode: 'off' });
    const { status, body } = await backtest(rule);
    expect(status).toBe(200);
    const mine = (body['newest'] as Shown[]).filter((each) => each['userId'] === userId);
    expect(mine).toEqual([
      expect.objectContaining({ id: ids[4], figure: 4, amount: 104, currency: 'USD', status: 'succeeded' }),
      expect.objectContaining({ id: ids[3], figure: 3, createdAt: expect.stringMatching(/^20.*Z$/) }),
    ]);
    const [before] = await holdfast.sql<{ payments: number }>(
      `SELECT count(*)::integer AS payments FROM payments WHERE created_at > now() - interval '30 days'`,
    );
    expect(body).toMatchObject({ rule, days: 30, payments: before?.payments, skipped: 0 });
    expect(Number(body['matched'])).toBeGreaterThanOrEqual(2);
    const short = await backtest(rule, { days: 1 });
    expect(Number(short.body['payments'])).toBe(Number(body['payments']) - 1);
    expect(await fraud.client.evaluations(ids[4])).toEqual([]);
  });

  it.each([
    ['amount', { limit: 7776, currency: 'USD' }, 7777],
    ['sum', { by: 'user', windowSeconds: 60, limit: 7776, currency: 'USD' }, 7777],
    ['failed_attempts', { by: 'user', windowSeconds: 60, limit: 1 }, 2],
    ['distinct_cards', { by: 'user', windowSeconds: 60, limit: 1 }, 2],
    ['country_mismatch', { windowSeconds: 60 }, 1],
    ['list', { by: 'country', values: ['FR'] }, 1],
  ])('of kind %s agrees with what the rule does', async (kind, settings, figure) => {
    const userId = newUserId();
    expectTaken(await pay(2, { userId, context: { country: 'DE', cardFingerprint: 'one' } }));
    expectTaken(await pay(4001, { userId, context: { cardFingerprint: 'one' } }));
    const rule = await fraud.client.rule(kind, { ...settings, mode: 'shadow' });
    const amount = kind === 'sum' ? 7775 : 7777;
    const id = expectTaken(await pay(amount, { userId, context: { country: 'FR', cardFingerprint: 'two' } }));
    expect(await fraud.client.evaluations(id)).toMatchObject([{ outcome: 'matched', figure }]);
    const { body } = await backtest(rule, { days: 1 });
    const mine = (body['newest'] as Shown[]).filter((each) => each['userId'] === userId);
    expect(mine.map((each) => ({ id: each['id'], figure: each['figure'] }))).toEqual([{ id, figure }]);
  });

  it('of disputes takes those that were known', async () => {
    const userId = newUserId();
    const disputed = expectTaken(await pay(4014, { userId }));
    await fraud.client.untilDisputed(disputed);
    const after = expectTaken(await pay(100, { userId }));
    const rule = await fraud.client.rule('disputes', { by: 'user', windowSeconds: 3600, limit: 0, mode: 'off' });
    const matching = async () => {
      const { body } = await backtest(rule, { days: 1 });
      return (body['newest'] as Shown[]).filter((each) => each['userId'] === userId).map((each) => each['id']);
    };
    expect(await matching()).toEqual([after]);
    await holdfast.sql(`UPDATE disputes SET created_at = now() + interval '1 hour' WHERE payment = $1`, [disputed]);
    expect(await matching()).toEqual([]);
  });

  it('of new accounts takes the age they had', async () => {
    const userId = newUserId();
    const id = expectTaken(await pay(100, { userId }));
    await ageAccounts(holdfast, userId, 1);
    const rule = await fraud.client.rule('new_account', { windowSeconds: 7200, mode: 'off' });
    const { body } = await backtest(rule);
    const [mine] = (body['newest'] as Shown[]).filter((each) => each['id'] === id);
    expect(Number(mine?.['figure'])).toBeGreaterThanOrEqual(3590);
    expect(Number(mine?.['figure'])).toBeLessThan(7200);
  });

  it.each([0, 91, 1.5])('of %p days is refused', async (days) => {
    const rule = await fraud.client.rule('amount', SMALL);
    expectProblem(await backtest(rule, { days }), 400, 'VALIDATION_FAILED');
  });
});

describe('rules', () => {
  const patch = (id: string, body: object) => holdfast.call('PATCH', `/api/fraud-rules/${id}`, body);

  it('are made once a key, changed, listed and deleted, and each change is audited', async () => {
    const key = randomUUID();
    const rule = { name: 'Three an hour', kind: 'count', action: 'decline', ...THREE_AN_HOUR };
    const made = await fraud.client.post('fraud-rules', rule, { key });
    expect(made).toMatchObject({ status: 201, body: { ...rule, mode: 'active', currency: null, values: null } });
    expect((await fraud.client.post('fraud-rules', rule, { key })).text).toBe(made.text);
    const id = String(made.body['id']);
    const other = await fraud.client.rule('amount', SMALL);
    const first = await fraud.client.get('fraud-rules?limit=1');
    expect((first.body['data'] as Shown[]).map((each) => each['id'])).toEqual([other]);
    const second = await fraud.client.get(`fraud-rules?limit=1&cursor=${String(first.body['nextCursor'])}`);
    expect(second.body).toMatchObject({ data: [{ id }], nextCursor: null });
    expect(await patch(id, { limit: 5, action: 'review' })).toMatchObject({
      status: 200,
      body: { ...rule, limit: 5, action: 'review' },
    });
    expect((await fraud.client.get(`fraud-rules/${id}`)).body).toMatchObject({ limit: 5 });
    expect((await holdfast.call('DELETE', `/api/fraud-rules/${id}`)).status).toBe(204);
    for (const answer of [
      await fraud.client.get(`fraud-rules/${id}`),
      await patch(id, { limit: 1 }),
      await holdfast.call('DELETE', `/api/fraud-rules/${id}`),
      await fraud.client.post(`fraud-rules/${id}/backtest`),
      await fraud.client.get('fraud-rules/nonsense'),
    ])
      expectProblem(answer, 404, 'NOT_FOUND');
    const lines = await holdfast.sql<{ action: string }>(
      'SELECT action FROM audit_log WHERE subject = $1 ORDER BY id',
      [`fraud-rule:${id}`],
    );
    expect(lines.map(({ action }) => action)).toEqual([
      'fraud_rule.created',
      'fraud_rule.changed',
      'fraud_rule.deleted',
    ]);
  });

  it.each<[string, object, string, string]>([
    ['a window but no count', { kind: 'count', by: 'user', windowSeconds: 60 }, 'limit', 'limit is missing'],
    ['a count but no window', { kind: 'count', by: 'user', limit: 3 }, 'windowSeconds', 'windowSeconds is missing'],
    ['an amount without currency', { kind: 'amount', limit: 3 }, 'currency', 'currency is missing'],
    ['a list of nothing', { kind: 'list', by: 'ip', values: [] }, 'values', 'not be empty'],
    ['a list of no addresses', { kind: 'list', by: 'ip', values: ['x'] }, 'values.0', 'CIDR'],
    ['a setting of another kind', { kind: 'new_account', windowSeconds: 60, limit: 3 }, 'limit', 'leave limit out'],
    ['an amount that allows', { kind: 'amount', ...SMALL, action: 'allow' }, 'action', 'only a list can allow'],
    ['a window beyond 90 days', { kind: 'new_account', windowSeconds: 7_776_001 }, 'windowSeconds', '7776000'],
    ['an unknown kind', { kind: 'weather' }, 'kind', 'amount, count'],
    ['an unknown field', { kind: 'amount', ...SMALL, count: 3 }, 'count', 'should not exist'],
  ])('with %s are refused, with what to mend', async (_what, rule, path, message) => {
    const answer = await fraud.client.post('fraud-rules', { name: 'x', action: 'decline', ...rule });
    expectProblem(answer, 400, 'VALIDATION_FAILED');
    const { errors } = answer.body['details'] as { errors: { path: string; message: string }[] };
    expect(errors).toContainEqual({ path, message: expect.stringContaining(message) });
  });

  it('are held against their kind when they are changed, too', async () => {
    const id = await fraud.client.rule('count', THREE_AN_HOUR);
    for (const change of [{ currency: 'USD' }, { action: 'block' }, { by: 'country' }, {}, { kind: 'sum' }])
      expectProblem(await patch(id, change), 400, 'VALIDATION_FAILED');
  });

  it('need scopes of their own', async () => {
    const rule = await fraud.client.rule('amount', SMALL);
    const shop = await holdfast.keyWith('payments:read', 'payments:write');
    const analyst = await holdfast.keyWith('fraud:read');
    const body = { name: 'x', kind: 'amount', action: 'review', ...SMALL };
    expectProblem(await fraud.client.post('fraud-rules', body, { credential: shop }), 403, 'FORBIDDEN');
    expectProblem(await fraud.client.post('fraud-rules', body, { credential: analyst }), 403, 'FORBIDDEN');
    const tested = await fraud.client.post(`fraud-rules/${rule}/backtest`, {}, { credential: analyst });
    expect(tested.status).toBe(200);
    for (const method of ['PATCH', 'DELETE'])
      expectProblem(
        await answerOf(
          await fetch(`${holdfast.server.url}/api/fraud-rules/${rule}`, {
            method,
            headers: { authorization: `Bearer ${shop}`, 'content-type': 'application/json' },
            ...(method === 'PATCH' && { body: '{"mode":"off"}' }),
          }),
        ),
        403,
        'FORBIDDEN',
      );
  });
});

describe('metrics', () => {
  it('count evaluations by their outcome, and the charges that were declined', async () => {
    const evaluated = async (labels: Record<string, string>) =>
      (await Scrape.of(holdfast.server)).value('holdfast_payment_rule_evaluations_total', labels) ?? 0;
    const declined = async () =>
      (await Scrape.of(holdfast.server)).value('holdfast_payment_changes_total', { status: 'declined' }) ?? 0;
    await fraud.client.rule('amount', SMALL);
    const before = [await evaluated({ mode: 'active', outcome: 'matched' }), await declined()];
    expectDeclined(await pay(1001));
    expectTaken(await pay(1));
    const after = [await evaluated({ mode: 'active', outcome: 'matched' }), await declined()];
    expect(after).toEqual(before.map((value) => value + 1));
    expect(await evaluated({ mode: 'active', outcome: 'passed' })).toBeGreaterThan(0);
  });
});

import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { expectProblem } from '../support/http-answer.js';
import { serverUnderTest } from '../support/server-under-test.js';
import { newUserId, UNLIMITED, WalletClient } from '../support/wallet-client.js';

const holdfast = serverUnderTest({ env: UNLIMITED });
let wallet: WalletClient;

beforeAll(() => {
  wallet = new WalletClient(holdfast.server);
});

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
const UNKNOWN_ID = '01890000-0000-7000-8000-000000000000';

const errorsOf = (details: unknown) => (details as { errors: { path: string; message: string }[] }).errors;

describe('An account', () => {
  it('is opened once: 201, then 200 with the same one', async () => {
    const userId = newUserId();
    const first = await wallet.post('accounts', { userId, currency: 'USD' });
    expect(first.status).toBe(201);
    expect(first.body).toEqual({
      id: expect.stringMatching(UUID),
      userId,
      currency: 'USD',
      balance: 0,
      held: 0,
      available: 0,
      allowNegative: false,
      frozen: false,
      createdAt: expect.stringMatching(TIME),
    });
    await wallet.post('transactions', { userId, type: 'CREDIT', amount: 7, currency: 'USD' });
    const again = await wallet.post('accounts', { userId, currency: 'USD', allowNegative: true });
    expect(again.status).toBe(200);
    expect(again.body).toEqual({ ...first.body, balance: 7, available: 7 });
  });

  it('is one for each currency', async () => {
    const userId = await wallet.newUser(100);
    await wallet.newUser(5000, { userId, currency: 'JPY' });
    expect(await wallet.balanceOf(userId)).toMatchObject({ balance: 100, currency: 'USD' });
    expect(await wallet.balanceOf(userId, 'JPY')).toMatchObject({ balance: 5000, currency: 'JPY' });
    expectProblem(await wallet.get(`balance?userId=${userId}&currency=EUR`), 404, 'NOT_FOUND');
  });

  it('needs no key to be opened; with one, the answer is replayed', async () => {
    const body = { userId: newUserId(), currency: 'USD' };
    const key = randomUUID();
    const first = await wallet.post('accounts', body, { key });
    const again = await wallet.post('accounts', body, { key });
    expect([first.status, again.status]).toEqual([201, 201]);
    expect(again.text).toBe(first.text);
    expect(again.headers.get('x-idempotent-replay')).toBe('true');
    expect((await wallet.post('accounts', body, { key: null })).status).toBe(200);
  });

  it('falls below zero only where it may', async () => {
    const userId = await wallet.newUser(0, { allowNegative: true });
    const debited = await wallet.post('transactions', { userId, type: 'DEBIT', amount: 30, currency: 'USD' });
    expect(debited.body).toMatchObject({ amount: -30, balanceAfter: -30 });
    expect(await wallet.balanceOf(userId)).toMatchObject({ balance: -30, available: -30 });
  });

  it('is not opened with nonsense', async () => {
    const answer = await wallet.post('accounts', { userId: 'a b', currency: 'XYZ', allowNegative: 'yes', name: 'x' });
    expectProblem(answer, 400, 'VALIDATION_FAILED');
    expect(
      errorsOf(answer.body['details'])
        .map(({ path }) => path)
        .toSorted(),
    ).toEqual(['allowNegative', 'currency', 'name', 'userId']);
  });
});

describe('A balance', () => {
  it('is what was posted, what is held and what is left', async () => {
    const userId = await wallet.newUser(1000);
    await wallet.post('holds', { userId, amount: 300, currency: 'USD' });
    expect(await wallet.balanceOf(userId)).toEqual({
      userId,
      currency: 'USD',
      balance: 1000,
      held: 300,
      available: 700,
      debt: 0,
      asOf: expect.stringMatching(TIME),
    });
  });

  it('can be asked for at a moment in the past', async () => {
    const userId = await wallet.newUser(1000);
    const { asOf } = await wallet.balanceOf(userId);
    await wallet.post('transactions', { userId, type: 'DEBIT', amount: 400, currency: 'USD' });
    const at = (time: unknown) => wallet.get(`balance?userId=${userId}&currency=USD&at=${String(time)}`);
    expect((await at(asOf)).body).toMatchObject({ balance: 1000, asOf });
    expect((await at('2020-01-01T00:00:00Z')).body).toMatchObject({ balance: 0, held: 0, available: 0, debt: 0 });
    expect((await wallet.balanceOf(userId))['balance']).toBe(600);
    const ahead = await at(new Date(Date.now() + 60_000).toISOString());
    expectProblem(ahead, 400, 'VALIDATION_FAILED');
    expect(errorsOf(ahead.body['details'])).toMatchObject([{ path: 'at' }]);
  });

  it('of an unknown account is 404, and a query that makes no sense 400', async () => {
    expectProblem(await wallet.get(`balance?userId=${newUserId()}&currency=USD`), 404, 'NOT_FOUND');
    const answer = await wallet.get('balance?userId=&currency=usd&at=yesterday&user=x');
    expectProblem(answer, 400, 'VALIDATION_FAILED');
    expect(
      errorsOf(answer.body['details'])
        .map(({ path }) => path)
        .toSorted(),
    ).toEqual(['at', 'currency', 'user', 'userId']);
  });
});

describe('A transaction', () => {
  it('brings money in from outside, with everything that was said about it', async () => {
    const userId = await wallet.newUser();
    const note = {
      description: 'top-up',
      category: 'deposit',
      reference: randomUUID(),
      metadata: { a: { b: [1, 'ü'] } },
    };
    const answer = await wallet.post('transactions', {
      userId,
      type: 'CREDIT',
      amount: 2500,
      currency: 'USD',
      ...note,
    });
    expect(answer.status).toBe(201);
    expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(answer.body).toEqual({
      id: expect.stringMatching(UUID),
      type: 'CREDIT',
      userId,
      amount: 2500,
      currency: 'USD',
      balanceAfter: 2500,
      sequence: 1,
      counterparty: { kind: 'system', id: 'external' },
      ...note,
      reverses: null,
      holdId: null,
      createdAt: expect.stringMatching(TIME),
    });
    expect((await wallet.get(`transactions/${String(answer.body['id'])}`)).body).toEqual(answer.body);
  });

  it('takes money out, but no more than there is', async () => {
    const userId = await wallet.newUser(100);
    const debit = (amount: number) => wallet.post('transactions', { userId, type: 'DEBIT', amount, currency: 'USD' });
    expect((await debit(60)).body).toMatchObject({ type: 'DEBIT', amount: -60, balanceAfter: 40, sequence: 2 });
    expectProblem(await debit(41), 402, 'INSUFFICIENT_FUNDS');
    expect((await debit(40)).body).toMatchObject({ balanceAfter: 0, sequence: 3 });
  });

  it('charges for usage once: category and reference are used up', async () => {
    const userId = await wallet.newUser(100);
    const charge = {
      userId,
      type: 'DEBIT',
      amount: 10,
      currency: 'USD',
      category: 'usage.api',
      reference: randomUUID(),
    };
    expect((await wallet.post('transactions', charge)).status).toBe(201);
    expectProblem(await wallet.post('transactions', charge), 409, 'REFERENCE_ALREADY_USED');
    expect((await wallet.post('transactions', { ...charge, category: 'usage.storage' })).status).toBe(201);
    expect(await wallet.fundsOf(userId)).toBe(80);
  });

  it('on an unknown account is 404, and opens none', async () => {
    const userId = newUserId();
    for (const type of ['CREDIT', 'DEBIT']) {
      const answer = await wallet.post('transactions', { userId, type, amount: 1, currency: 'USD' });
      expectProblem(answer, 404, 'NOT_FOUND');
    }
    expectProblem(await wallet.get(`balance?userId=${userId}&currency=USD`), 404, 'NOT_FOUND');
  });

  it('that is not there is 404', async () => {
    for (const id of [UNKNOWN_ID, 'not-a-uuid', '..%2F']) {
      expectProblem(await wallet.get(`transactions/${id}`), 404, 'NOT_FOUND');
      expectProblem(await wallet.post(`transactions/${id}/reverse`), 404, 'NOT_FOUND');
    }
  });
});

describe('An amount', () => {
  it.each([
    ['the smallest', '1', 1],
    ['the largest', '9007199254740991', Number.MAX_SAFE_INTEGER],
    ['one with an exponent, which is an integer', '1e3', 1000],
  ])('may be %s: %s', async (_, amount, value) => {
    const userId = await wallet.newUser();
    const body = `{"userId":"${userId}","type":"CREDIT","amount":${amount},"currency":"CHF"}`;
    await wallet.newUser(0, { userId, currency: 'CHF' });
    expect((await wallet.post('transactions', body)).body).toMatchObject({ amount: value, balanceAfter: value });
    await wallet.post('transactions', { userId, type: 'DEBIT', amount: value, currency: 'CHF' });
  });

  it.each([
    '0',
    '-1',
    '-0',
    '0.5',
    '100.25',
    '9007199254740992',
    '1e308',
    '"100"',
    '"1e3"',
    'null',
    'true',
    '[1]',
    '{}',
  ])('may not be %s, wherever money moves', async (amount) => {
    const [from, to] = await Promise.all([wallet.newUser(1000), wallet.newUser()]);
    const transfer = `{"fromUserId":"${from}","toUserId":"${to}","amount":${amount},"currency":"USD"}`;
    const answers = await Promise.all([
      wallet.post('transfers', transfer),
      wallet.post('transactions', `{"userId":"${from}","type":"DEBIT","amount":${amount},"currency":"USD"}`),
      wallet.post('holds', `{"userId":"${from}","amount":${amount},"currency":"USD"}`),
      wallet.post('transfers/batch', `{"mode":"independent","transfers":[${transfer}]}`),
    ]);
    const paths = answers.map((answer) => {
      expectProblem(answer, 400, 'VALIDATION_FAILED');
      return errorsOf(answer.body['details']).map(({ path }) => path);
    });
    expect(paths).toEqual([['amount'], ['amount'], ['amount'], ['transfers.0.amount']]);
    expect(await wallet.balanceOf(from)).toMatchObject({ balance: 1000, held: 0 });
  });
});

describe('A number that would be rounded', () => {
  it.each([
    '"amount":0.99999999999999999',
    '"amount":1.00000000000000001',
    '"amount":12345678901234.9999999',
    '"amount":9007199254740993.5',
    '"amount":1e400',
    '"amount":1,"metadata":{"n":1e400}',
    '"amount":1,"metadata":{"n":[0.1000000000000000055]}',
  ])('is refused wherever it is, and moves nothing: %s', async (fields) => {
    const from = await wallet.newUser(1000);
    const transfer = `{"fromUserId":"${from}","toUserId":"bob","currency":"USD",${fields}}`;
    const transaction = (type: string) => `{"userId":"${from}","type":"${type}","currency":"USD",${fields}}`;
    const held = await wallet.post('holds', { userId: from, amount: 2, currency: 'USD' });
    const bodies = [
      ['transfers', transfer],
      ['transfers/batch', `{"mode":"independent","transfers":[${transfer}]}`],
      ['transactions', transaction('CREDIT')],
      ['transactions', transaction('DEBIT')],
      ['holds', `{"userId":"${from}","currency":"USD",${fields}}`],
      [`holds/${String(held.body['id'])}/capture`, `{${fields}}`],
    ] as const;
    for (const [path, body] of bodies) {
      const answer = await wallet.post(path, body);
      expectProblem(answer, 400, 'VALIDATION_FAILED');
      expect(answer.body['detail']).toContain('cannot be kept exactly');
    }
    expect(await wallet.balanceOf(from)).toMatchObject({ balance: 1000, held: 2 });
  });

  it('is fine as a text', async () => {
    const metadata = { rate: '0.99999999999999999' };
    const credit = { userId: await wallet.newUser(), type: 'CREDIT', amount: 1, currency: 'USD', metadata };
    expect((await wallet.post('transactions', credit)).body).toMatchObject({ metadata });
  });
});

describe('An integer beyond 2^53 in metadata', () => {
  const METADATA = '{"id":9007199254740993,"list":[-9007199254740993,1,0.1],"long":123456789012345678901234567890}';

  it('is the same in the answer, its repeat, the statement and the database', async () => {
    const [from, to] = await Promise.all([wallet.newUser(1000), wallet.newUser()]);
    const transfer = `{"fromUserId":"${from}","toUserId":"${to}","amount":1,"currency":"USD","metadata":${METADATA}}`;
    const credit = `{"userId":"${to}","type":"CREDIT","amount":1,"currency":"USD","metadata":${METADATA}}`;
    for (const [path, body] of [
      ['transfers', transfer],
      ['transfers/batch', `{"mode":"atomic","transfers":[${transfer}]}`],
      ['transactions', credit],
    ] as const) {
      const key = randomUUID();
      const first = await wallet.post(path, body, { key });
      expect(first).toMatchObject({ status: 201, text: expect.stringContaining(`"metadata":${METADATA}`) });
      const again = await wallet.post(path, body, { key });
      expect(again).toMatchObject({ status: 201, text: first.text });
      expect(again.headers.get('x-idempotent-replay')).toBe('true');
      const [record] = await holdfast.sql('SELECT body FROM idempotency_records WHERE key = $1', [key]);
      expect(record).toEqual({ body: first.text });
    }
    const { text } = await wallet.get(`transactions?userId=${to}&currency=USD`);
    expect(text.split(`"metadata":${METADATA}`)).toHaveLength(4);
    const [{ id } = { id: '' }] = (JSON.parse(text) as { data: { id: string }[] }).data;
    expect((await wallet.get(`transactions/${id}`)).text).toContain(`"metadata":${METADATA}`);
    const rows = await holdfast.sql('SELECT metadata = $2::jsonb AS same FROM ledger_transfers WHERE id = $1', [
      id,
      METADATA,
    ]);
    expect(rows).toEqual([{ same: true }]);
  });

  it('is another request under the same key than its neighbour', async () => {
    const userId = await wallet.newUser();
    const credit = (n: string) =>
      `{"userId":"${userId}","type":"CREDIT","amount":1,"currency":"USD","metadata":{"n":${n}}}`;
    const key = randomUUID();
    expect((await wallet.post('transactions', credit('9007199254740993'), { key })).status).toBe(201);
    for (const neighbour of ['9007199254740992', '9007199254740994']) {
      expectProblem(await wallet.post('transactions', credit(neighbour), { key }), 422, 'IDEMPOTENCY_KEY_REUSED');
    }
    expect(await wallet.fundsOf(userId)).toBe(1);
  });

  it('has no place in a field that is a number of ours', async () => {
    const [userId, n] = [await wallet.newUser(), '9007199254740993'];
    const answers = await Promise.all([
      wallet.post('transactions', `{"userId":"${userId}","type":"CREDIT","amount":${n},"currency":"USD"}`),
      wallet.post('holds', `{"userId":"${userId}","amount":1,"currency":"USD","expiresInSeconds":${n}}`),
      holdfast.call('POST', '/api/replay-jobs', `{"filter":{"source":"stripe"},"ratePerSecond":${n}}`),
      holdfast.call('POST', '/api/api-keys', `{"name":"n","scopes":["audit:read"],"limits":{"perMinute":${n}}}`),
      holdfast.call('PATCH', '/api/webhook-sources/stripe', `{"maxRetries":${n}}`),
    ]);
    const paths = answers.map((answer) => {
      expectProblem(answer, 400, 'VALIDATION_FAILED');
      return errorsOf(answer.body['details']).map(({ path }) => path);
    });
    expect(paths).toEqual([['amount'], ['expiresInSeconds'], ['ratePerSecond'], ['limits'], ['maxRetries']]);
  });
});

describe('A body that names a member twice', () => {
  it.each(['"amount":1,"amount":100', '"amount":1,"metadata":{"a":[{"\\u0061b":1,"ab":1}]}'])(
    'is refused by name, because two readers may read it in two ways: %s',
    async (fields) => {
      const from = await wallet.newUser(1000);
      const body = `{"fromUserId":"${from}","toUserId":"bob","currency":"USD",${fields}}`;
      const answer = await wallet.post('transfers', body);
      expectProblem(answer, 400, 'VALIDATION_FAILED');
      expect(answer.body['detail']).toMatch(/the member "(amount|ab)" twice/);
      expect(await wallet.fundsOf(from)).toBe(1000);
    },
  );
});

describe('A transfer', () => {
  it('moves money from one to the other and shows the sender their side only', async () => {
    const [from, to] = await Promise.all([wallet.newUser(1000), wallet.newUser(77)]);
    const body = {
      fromUserId: from,
      toUserId: to,
      amount: 250,
      currency: 'USD',
      description: 'rent',
      metadata: { m: 1 },
    };
    const { status, body: transfer } = await wallet.post('transfers', body);
    expect(status).toBe(201);
    expect(transfer).toEqual({
      id: expect.stringMatching(UUID),
      ...body,
      balanceAfter: 750,
      sequence: 2,
      createdAt: expect.stringMatching(TIME),
    });
    expect(await Promise.all([from, to].map((user) => wallet.fundsOf(user)))).toEqual([750, 327]);
    const [sent] = await wallet.statementOf(from);
    const [received] = await wallet.statementOf(to);
    expect(sent).toMatchObject({
      id: transfer['id'],
      type: 'TRANSFER',
      amount: -250,
      counterparty: { kind: 'user', id: to },
    });
    expect(received).toMatchObject({ id: transfer['id'], amount: 250, balanceAfter: 327, counterparty: { id: from } });
  });

  it('is refused where it cannot be', async () => {
    const [from, to] = await Promise.all([wallet.newUser(100), wallet.newUser()]);
    const transfer = { fromUserId: from, toUserId: to, amount: 10, currency: 'USD' };
    const send = (change: object) => wallet.post('transfers', { ...transfer, ...change });
    expectProblem(await send({ toUserId: from }), 400, 'SELF_TRANSFER');
    expectProblem(await send({ amount: 101 }), 402, 'INSUFFICIENT_FUNDS');
    expectProblem(await send({ toUserId: newUserId() }), 404, 'NOT_FOUND');
    expectProblem(await send({ fromUserId: newUserId() }), 404, 'NOT_FOUND');
    expectProblem(await send({ currency: 'EUR' }), 404, 'NOT_FOUND');
    expectProblem(await send({ currency: 'BTC' }), 400, 'VALIDATION_FAILED');
    expectProblem(await send({ fee: 1 }), 400, 'VALIDATION_FAILED');
    expect(await Promise.all([from, to].map((user) => wallet.fundsOf(user)))).toEqual([100, 0]);
  });

  it('counts what is held as spent', async () => {
    const [from, to] = await Promise.all([wallet.newUser(100), wallet.newUser()]);
    await wallet.post('holds', { userId: from, amount: 60, currency: 'USD' });
    const send = (amount: number) =>
      wallet.post('transfers', { fromUserId: from, toUserId: to, amount, currency: 'USD' });
    expectProblem(await send(41), 402, 'INSUFFICIENT_FUNDS');
    expect((await send(40)).body).toMatchObject({ balanceAfter: 60 });
  });
});

describe('A statement', () => {
  it('is newest first, without a gap, page by page', async () => {
    const userId = await wallet.newUser();
    for (let amount = 1; amount <= 7; amount++) {
      await wallet.post('transactions', { userId, type: 'CREDIT', amount, currency: 'USD' });
    }
    const page = async (cursor: unknown = '') => {
      const more = cursor === '' ? '' : `&cursor=${String(cursor)}`;
      return (await wallet.get(`transactions?userId=${userId}&currency=USD&limit=3${more}`)).body;
    };
    const first = await page();
    const second = await page(first['nextCursor']);
    const third = await page(second['nextCursor']);
    const lines = [first, second, third].flatMap(({ data }) => data as Record<string, unknown>[]);
    expect(lines.map(({ sequence }) => sequence)).toEqual([7, 6, 5, 4, 3, 2, 1]);
    expect(lines.map(({ balanceAfter }) => balanceAfter)).toEqual([28, 21, 15, 10, 6, 3, 1]);
    expect(third['nextCursor']).toBeNull();
  });

  it('keeps its place while new lines arrive', async () => {
    const userId = await wallet.newUser(10);
    const debit = () => wallet.post('transactions', { userId, type: 'DEBIT', amount: 1, currency: 'USD' });
    await debit();
    const { body: first } = await wallet.get(`transactions?userId=${userId}&currency=USD&limit=1`);
    await debit();
    const { body: second } = await wallet.get(
      `transactions?userId=${userId}&currency=USD&limit=1&cursor=${String(first['nextCursor'])}`,
    );
    expect([first, second].map(({ data }) => (data as { sequence: number }[])[0]?.sequence)).toEqual([2, 1]);
  });

  it('of an unknown account is 404, of one without lines empty, and nonsense 400', async () => {
    expectProblem(await wallet.get(`transactions?userId=${newUserId()}&currency=USD`), 404, 'NOT_FOUND');
    expect(await wallet.statementOf(await wallet.newUser())).toEqual([]);
    const user = await wallet.newUser();
    for (const query of ['', `userId=${user}`, `userId=${user}&currency=usd`, `userId=${user}&currency=USD&limit=0`]) {
      expectProblem(await wallet.get(`transactions?${query}`), 400, 'VALIDATION_FAILED');
    }
    expectProblem(await wallet.get(`transactions?userId=${user}&currency=USD&cursor=abc`), 400, 'VALIDATION_FAILED');
  });
});

describe('A reversal', () => {
  it('undoes a transaction, once', async () => {
    const [from, to] = await Promise.all([wallet.newUser(100), wallet.newUser()]);
    const { body: transfer } = await wallet.post('transfers', {
      fromUserId: from,
      toUserId: to,
      amount: 30,
      currency: 'USD',
    });
    const path = `transactions/${String(transfer['id'])}/reverse`;
    const reversed = await wallet.post(path);
    expect(reversed.status).toBe(201);
    expect(reversed.body).toMatchObject({
      type: 'REVERSAL',
      userId: from,
      amount: 30,
      balanceAfter: 100,
      reverses: transfer['id'],
      counterparty: { kind: 'user', id: to },
    });
    expectProblem(await wallet.post(path), 409, 'ALREADY_REVERSED');
    expect(await Promise.all([from, to].map((user) => wallet.fundsOf(user)))).toEqual([100, 0]);
    expect((await wallet.get(`transactions/${String(reversed.body['id'])}`)).body).toEqual(reversed.body);
  });

  it('of a credit takes it out again, if it is still there', async () => {
    const userId = await wallet.newUser();
    const { body: credit } = await wallet.post('transactions', { userId, type: 'CREDIT', amount: 50, currency: 'USD' });
    await wallet.post('transactions', { userId, type: 'DEBIT', amount: 20, currency: 'USD' });
    const path = `transactions/${String(credit['id'])}/reverse`;
    expectProblem(await wallet.post(path), 402, 'INSUFFICIENT_FUNDS');
    await wallet.post('transactions', { userId, type: 'CREDIT', amount: 20, currency: 'USD' });
    expect((await wallet.post(path, {})).body).toMatchObject({ userId, amount: -50, balanceAfter: 0 });
  });

  it('takes no body', async () => {
    const answer = await wallet.post(`transactions/${UNKNOWN_ID}/reverse`, { amount: 5 });
    expectProblem(answer, 400, 'VALIDATION_FAILED');
  });
});

describe('An idempotency key', () => {
  it('is required wherever money moves, and well-formed', async () => {
    const paths = ['transactions', 'transfers', 'transfers/batch', 'holds', `holds/${UNKNOWN_ID}/capture`];
    paths.push(`holds/${UNKNOWN_ID}/void`, `transactions/${UNKNOWN_ID}/reverse`);
    for (const path of paths) {
      expectProblem(await wallet.post(path, {}, { key: null }), 400, 'IDEMPOTENCY_KEY_REQUIRED');
      expectProblem(await wallet.post(path, {}, { key: 'short' }), 400, 'IDEMPOTENCY_KEY_INVALID');
    }
  });

  it('gives the same answer again, to the letter, and posts nothing', async () => {
    const [from, to] = await Promise.all([wallet.newUser(100), wallet.newUser()]);
    const body = { fromUserId: from, toUserId: to, amount: 30, currency: 'USD' };
    const key = randomUUID();
    const first = await wallet.post('transfers', body, { key });
    const again = await wallet.post(
      'transfers',
      { currency: 'USD', amount: 3e1, toUserId: to, fromUserId: from },
      { key },
    );
    expect([first.status, again.status]).toEqual([201, 201]);
    expect(again.text).toBe(first.text);
    expect(again.headers.get('content-type')).toBe(first.headers.get('content-type'));
    expect(first.headers.get('x-idempotent-replay')).toBeNull();
    expect(again.headers.get('x-idempotent-replay')).toBe('true');
    expect(Number(again.headers.get('x-idempotency-age'))).toBeGreaterThanOrEqual(0);
    expect(Date.parse(again.headers.get('x-idempotency-created') ?? '')).not.toBeNaN();
    expect(await wallet.fundsOf(from)).toBe(70);
  });

  it('gives a refusal again too, even when the reason for it is gone', async () => {
    const [from, to] = await Promise.all([wallet.newUser(), wallet.newUser()]);
    const body = { fromUserId: from, toUserId: to, amount: 30, currency: 'USD' };
    const key = randomUUID();
    const refused = await wallet.post('transfers', body, { key });
    expectProblem(refused, 402, 'INSUFFICIENT_FUNDS');
    await wallet.post('transactions', { userId: from, type: 'CREDIT', amount: 100, currency: 'USD' });
    const again = await wallet.post('transfers', body, { key });
    expect([again.status, again.text]).toEqual([402, refused.text]);
    expect(again.headers.get('content-type')).toBe('application/problem+json; charset=utf-8');
    expect(again.headers.get('x-idempotent-replay')).toBe('true');
    expect((await wallet.post('transfers', body)).status).toBe(201);
  });

  it('is not used up by a request that was not valid', async () => {
    const [from, to] = await Promise.all([wallet.newUser(100), wallet.newUser()]);
    const body = { fromUserId: from, toUserId: to, amount: 30, currency: 'USD' };
    const key = randomUUID();
    expectProblem(await wallet.post('transfers', { ...body, amount: 0 }, { key }), 400, 'VALIDATION_FAILED');
    expectProblem(await wallet.post('transfers', { ...body, toUserId: from }, { key }), 400, 'SELF_TRANSFER');
    expect((await wallet.post('transfers', body, { key })).status).toBe(201);
  });

  it('is refused with another request', async () => {
    const [from, to] = await Promise.all([wallet.newUser(100), wallet.newUser()]);
    const body = { fromUserId: from, toUserId: to, amount: 30, currency: 'USD' };
    const key = randomUUID();
    expect((await wallet.post('transfers', body, { key })).status).toBe(201);
    expectProblem(await wallet.post('transfers', { ...body, amount: 31 }, { key }), 422, 'IDEMPOTENCY_KEY_REUSED');
    expect(
      (await wallet.post('transactions', { userId: from, type: 'DEBIT', amount: 1, currency: 'USD' }, { key })).status,
    ).toBe(201);
    expect(await wallet.fundsOf(from)).toBe(69);
  });
});

describe('The ledger', () => {
  it('holds after all of this: every invariant is reported and true', async () => {
    const { status, body } = await holdfast.call('GET', '/api/ledger/integrity');
    expect(status).toBe(200);
    expect(body).toMatchObject({
      ok: true,
      checkedAt: expect.stringMatching(/^\d{4}-/),
      accounts: expect.any(Number),
      entries: expect.any(Number),
      sumByCurrency: expect.objectContaining({ USD: 0, JPY: 0 }),
      violations: [],
    });
    expect(Number(body['accounts'])).toBeGreaterThan(10);
  });
});

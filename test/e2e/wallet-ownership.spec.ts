import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { type Answer, expectProblem } from '../support/http-answer.js';
import { serverUnderTest } from '../support/server-under-test.js';
import { userToken } from '../support/user-token.js';
import { newUserId, UNLIMITED, WalletClient } from '../support/wallet-client.js';

const holdfast = serverUnderTest({ env: UNLIMITED });
let wallet: WalletClient;
/** Has 1,000 and a token. */
let alice: string;
let token: string;
/** Has 1,000; somebody else. */
let bob: string;

beforeAll(async () => {
  wallet = new WalletClient(holdfast.server);
  [alice = '', bob = ''] = await wallet.newUsers(2, 1000);
  token = await userToken(alice);
});

/** As Alice. */
const post = (path: string, body?: object) => wallet.post(path, body, { credential: token });
const get = (path: string) => wallet.get(path, token);

const transfer = (fromUserId: string, toUserId: string) => ({ fromUserId, toUserId, amount: 10, currency: 'USD' });

/** All that tells one request from another is left out. */
function substance({ status, body }: Answer): unknown {
  return { status, ...body, instance: '', requestId: '' };
}

describe('An end user', () => {
  it('opens, reads and uses accounts of their own', async () => {
    const opened = await post('accounts', { userId: alice, currency: 'EUR' });
    expect(opened.status).toBe(201);
    expect((await get(`balance?userId=${alice}&currency=USD`)).body).toMatchObject({ userId: alice, currency: 'USD' });
    const sent = await post('transfers', transfer(alice, bob));
    expect(sent.status).toBe(201);
    const debited = await post('transactions', { userId: alice, type: 'DEBIT', amount: 5, currency: 'USD' });
    expect(debited.status).toBe(201);
    expect((await get(`transactions/${String(debited.body['id'])}`)).body).toEqual(debited.body);
    expect((await get(`transactions?userId=${alice}&currency=USD`)).body['data']).toHaveLength(3);
    const batch = await post('transfers/batch', { mode: 'atomic', transfers: [transfer(alice, bob)] });
    expect(batch.status).toBe(201);
  });

  it('leaves their own id out', async () => {
    const same = async (path: string) => (await get(path)).body;
    const whole = await same(`balance?userId=${alice}&currency=USD`);
    expect(await same('balance?currency=USD')).toMatchObject({ userId: alice, balance: whole['balance'] });
    expect(await same('transactions?currency=USD')).toEqual(await same(`transactions?userId=${alice}&currency=USD`));
    const money = { amount: 1, currency: 'USD' };
    const made = [
      await post('accounts', { currency: 'CHF' }),
      await post('transactions', { type: 'DEBIT', ...money }),
      await post('holds', money),
    ];
    expect(made.map(({ status, body }) => [status, body['userId']])).toEqual(made.map(() => [201, alice]));
    const sent = { toUserId: bob, ...money };
    expect(await post('transfers', sent)).toMatchObject({ status: 201, body: { fromUserId: alice } });
    const batch = await post('transfers/batch', { mode: 'atomic', transfers: [sent] });
    expect(batch).toMatchObject({ status: 201, body: { results: [{ transfer: { fromUserId: alice } }] } });
  });

  it('is not who is meant when a service names nobody', async () => {
    const money = { amount: 1, currency: 'USD' };
    const sent = { toUserId: bob, ...money };
    const answers: [string, Answer][] = [
      ['userId', await wallet.get('balance?currency=USD')],
      ['userId', await wallet.get('transactions?currency=USD')],
      ['userId', await wallet.post('accounts', { currency: 'USD' })],
      ['userId', await wallet.post('transactions', { type: 'CREDIT', ...money })],
      ['userId', await wallet.post('holds', money)],
      ['fromUserId', await wallet.post('transfers', sent)],
      ['transfers.0.fromUserId', await wallet.post('transfers/batch', { mode: 'atomic', transfers: [sent] })],
    ];
    for (const [path, answer] of answers) {
      expectProblem(answer, 400, 'VALIDATION_FAILED');
      expect(answer.body['details']).toMatchObject({ errors: [{ path }] });
    }
  });

  it('sees a transfer from where they stand, the payer and the payee alike', async () => {
    const { body: sent } = await wallet.post('transfers', transfer(alice, bob));
    const { body: received } = await wallet.post('transfers', transfer(bob, alice));
    expect((await get(`transactions/${String(sent['id'])}`)).body).toMatchObject({ userId: alice, amount: -10 });
    expect((await get(`transactions/${String(received['id'])}`)).body).toMatchObject({ userId: alice, amount: 10 });
  });

  it('places holds on their own money, captures and voids them', async () => {
    const place = () => post('holds', { userId: alice, toUserId: bob, amount: 10, currency: 'USD' });
    const [captured, voided] = [await place(), await place()];
    expect([captured.status, voided.status]).toEqual([201, 201]);
    expect((await get(`holds/${String(captured.body['id'])}`)).body).toEqual(captured.body);
    expect((await post(`holds/${String(captured.body['id'])}/capture`)).body).toMatchObject({ status: 'CAPTURED' });
    expect((await post(`holds/${String(voided.body['id'])}/void`)).body).toMatchObject({ status: 'VOIDED' });
  });

  it('may look at a hold of a service on their money, and neither void nor capture it', async () => {
    const { body: held } = await wallet.post('holds', { userId: alice, amount: 100, currency: 'USD' });
    const path = `holds/${String(held['id'])}`;
    expect((await get(path)).body).toEqual(held);
    const key = randomUUID();
    for (let time = 0; time < 2; time++) {
      const refused = await wallet.post(`${path}/void`, undefined, { key, credential: token });
      expectProblem(refused, 403, 'FORBIDDEN');
      // Whether they may can change: that is no answer to keep.
      expect(refused.headers.has('x-idempotent-replay')).toBe(false);
    }
    expectProblem(await post(`${path}/capture`, { amount: 1 }), 403, 'FORBIDDEN');
    expect((await get(path)).body).toEqual(held);
    expect((await wallet.post(`${path}/void`)).status).toBe(200);
  });

  it('may not make money, take it back, owe, or use up the reference of a charge', async () => {
    const credit = { userId: alice, type: 'CREDIT', amount: 10, currency: 'USD' };
    expectProblem(await post('transactions', credit), 403, 'FORBIDDEN');
    expectProblem(await post('transactions', { ...credit, type: 'DEBIT', reference: 'usage-1' }), 403, 'FORBIDDEN');
    expectProblem(await post('accounts', { userId: alice, currency: 'GBP', allowNegative: true }), 403, 'FORBIDDEN');
    const { body: debit } = await post('transactions', { ...credit, type: 'DEBIT' });
    expectProblem(await post(`transactions/${String(debit['id'])}/reverse`), 403, 'FORBIDDEN');
    expectProblem(await get(`balance?userId=${alice}&currency=GBP`), 404, 'NOT_FOUND');
  });

  it('may not ask whether the whole ledger holds', async () => {
    expectProblem(await holdfast.call('GET', '/api/ledger/integrity', undefined, token), 403, 'FORBIDDEN');
  });
});

describe("Somebody else's", () => {
  const before = { balance: 0 };
  beforeAll(async () => {
    before.balance = await wallet.fundsOf(bob);
  });

  it('account is answered like one that does not exist, whatever is asked of it', async () => {
    const nobody = newUserId();
    const asked = (user: string) => [
      () => post('accounts', { userId: user, currency: 'USD' }),
      () => get(`balance?userId=${user}&currency=USD`),
      () => get(`balance?userId=${user}&currency=USD&at=2026-01-01T00:00:00Z`),
      () => get(`transactions?userId=${user}&currency=USD`),
      () => post('transactions', { userId: user, type: 'DEBIT', amount: 10, currency: 'USD' }),
      () => post('transfers', transfer(user, alice)),
      () => post('holds', { userId: user, amount: 10, currency: 'USD' }),
    ];
    for (const [n, ask] of asked(bob).entries()) {
      const answer = await ask();
      expectProblem(answer, 404, 'NOT_FOUND');
      expect(JSON.stringify(substance(answer))).not.toContain(bob);
      expect(substance(answer)).toEqual(substance(await asked(nobody)[n]!()));
    }
  });

  it('money is not moved in a batch either', async () => {
    const transfers = [transfer(alice, bob), transfer(bob, alice)];
    const atomic = await post('transfers/batch', { mode: 'atomic', transfers });
    expect(atomic.status).toBe(409);
    expect(atomic.body['results']).toMatchObject([{ code: 'BATCH_REJECTED' }, { code: 'NOT_FOUND' }]);
    const independent = await post('transfers/batch', { mode: 'independent', transfers });
    expect(independent.body['results']).toMatchObject([{ status: 'posted' }, { code: 'NOT_FOUND' }]);
    before.balance += 10;
  });

  it('transactions and holds are 404', async () => {
    const { body: credit } = await wallet.post('transactions', {
      userId: bob,
      type: 'CREDIT',
      amount: 1,
      currency: 'USD',
    });
    const { body: held } = await wallet.post('holds', { userId: bob, toUserId: alice, amount: 1, currency: 'USD' });
    before.balance += 1;
    expectProblem(await get(`transactions/${String(credit['id'])}`), 404, 'NOT_FOUND');
    expectProblem(await get(`holds/${String(held['id'])}`), 404, 'NOT_FOUND');
    expectProblem(await post(`holds/${String(held['id'])}/capture`), 404, 'NOT_FOUND');
    expectProblem(await post(`holds/${String(held['id'])}/void`), 404, 'NOT_FOUND');
    expect((await wallet.get(`holds/${String(held['id'])}`)).body).toMatchObject({ status: 'ACTIVE' });
  });

  it('keys are their own: the same key of two users is two keys', async () => {
    const bobs = await userToken(bob);
    const key = 'the-same-key-of-two-users';
    const send = (from: string, to: string, credential: string) =>
      wallet.post('transfers', transfer(from, to), { key, credential });
    const answers = [await send(alice, bob, token), await send(bob, alice, bobs)];
    expect(answers.map(({ status }) => status)).toEqual([201, 201]);
    expect(answers[0]?.body['id']).not.toBe(answers[1]?.body['id']);
  });

  it('money is all there in the end', async () => {
    expect(await wallet.fundsOf(bob)).toBe(before.balance);
  });
});

describe('A key', () => {
  it('that may only read moves nothing', async () => {
    const key = await holdfast.keyWith('wallet:read', 'payments:write', 'webhooks:write');
    expect((await wallet.get(`balance?userId=${bob}&currency=USD`, key)).status).toBe(200);
    const paths = ['accounts', 'transactions', 'transfers', 'transfers/batch', 'holds'];
    for (const path of paths) expectProblem(await wallet.post(path, {}, { credential: key }), 403, 'FORBIDDEN');
  });

  it('that may only write reads nothing', async () => {
    const key = await holdfast.keyWith('wallet:write');
    expect((await wallet.post('transfers', transfer(bob, alice), { credential: key })).status).toBe(201);
    for (const path of [`balance?userId=${bob}&currency=USD`, `transactions?userId=${bob}&currency=USD`]) {
      expectProblem(await wallet.get(path, key), 403, 'FORBIDDEN');
    }
  });
});

import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { expectProblem } from '../support/http-answer.js';
import { startServer } from '../support/server.js';
import { serverUnderTest } from '../support/server-under-test.js';
import { newUserId, UNLIMITED, WalletClient } from '../support/wallet-client.js';

const holdfast = serverUnderTest({ env: UNLIMITED });
let wallet: WalletClient;

beforeAll(() => {
  wallet = new WalletClient(holdfast.server);
});

interface Result {
  status: string;
  code?: string;
  detail?: string;
  transfer?: Record<string, unknown>;
}

const resultsOf = (body: Record<string, unknown>) => body['results'] as Result[];
const move = (fromUserId: string, toUserId: string, amount: number, more: object = {}) => ({
  fromUserId,
  toUserId,
  amount,
  currency: 'USD',
  ...more,
});
const send = (mode: string, transfers: unknown, key: string = randomUUID()) =>
  wallet.post('transfers/batch', { mode, transfers }, { key });

describe('An atomic batch', () => {
  it('posts all of its transfers, in order: a later one may spend what an earlier one brought', async () => {
    const [a, b, c] = await Promise.all([wallet.newUser(100), wallet.newUser(), wallet.newUser()]);
    const { status, body } = await send('atomic', [
      move(a, b, 100),
      move(b, c, 60, { description: 'on' }),
      move(b, a, 40),
    ]);
    expect(status).toBe(201);
    expect(resultsOf(body).map(({ status: posted, transfer }) => [posted, transfer?.['amount']])).toEqual([
      ['posted', 100],
      ['posted', 60],
      ['posted', 40],
    ]);
    expect(resultsOf(body)[1]?.transfer).toMatchObject({
      fromUserId: b,
      toUserId: c,
      description: 'on',
      balanceAfter: 40,
    });
    expect(await Promise.all([a, b, c].map((user) => wallet.fundsOf(user)))).toEqual([40, 0, 60]);
  });

  it('with one bad transfer posts nothing, and says which it was', async () => {
    const [a, b] = await Promise.all([wallet.newUser(100), wallet.newUser()]);
    const answer = await send('atomic', [move(a, b, 60), move(a, b, 60), move(b, a, 1)]);
    const { results, ...problem } = answer.body;
    expectProblem({ ...answer, body: problem }, 409, 'BATCH_REJECTED');
    expect((results as Result[]).map(({ status, code }) => [status, code])).toEqual([
      ['rejected', 'BATCH_REJECTED'],
      ['rejected', 'INSUFFICIENT_FUNDS'],
      ['rejected', 'BATCH_REJECTED'],
    ]);
    expect(await Promise.all([a, b].map((user) => wallet.fundsOf(user)))).toEqual([100, 0]);
    expect(await wallet.statementOf(a)).toHaveLength(1);
  });

  it('that was refused is refused again under its key', async () => {
    const [a, b] = await Promise.all([wallet.newUser(), wallet.newUser()]);
    const key = randomUUID();
    const refused = await send('atomic', [move(a, b, 60)], key);
    expect(refused.status).toBe(409);
    await wallet.post('transactions', { userId: a, type: 'CREDIT', amount: 100, currency: 'USD' });
    const again = await send('atomic', [move(a, b, 60)], key);
    expect([again.status, again.text]).toEqual([409, refused.text]);
    expect(await wallet.fundsOf(a)).toBe(100);
  });
});

describe('An independent batch', () => {
  it('posts what can be posted and says of each what became of it', async () => {
    const [a, b] = await Promise.all([wallet.newUser(100), wallet.newUser()]);
    const { status, body } = await send('independent', [
      move(a, b, 60),
      move(a, b, 60),
      move(a, a, 1),
      move(a, newUserId(), 1),
      move(b, a, 50),
      move(a, b, 60),
    ]);
    expect(status).toBe(201);
    expect(resultsOf(body).map(({ status: what, code }) => code ?? what)).toEqual([
      'posted',
      'INSUFFICIENT_FUNDS',
      'SELF_TRANSFER',
      'NOT_FOUND',
      'posted',
      'posted',
    ]);
    expect(resultsOf(body)[1]).toEqual({
      status: 'rejected',
      code: 'INSUFFICIENT_FUNDS',
      detail: expect.stringMatching(/\S/),
    });
    expect(await Promise.all([a, b].map((user) => wallet.fundsOf(user)))).toEqual([30, 70]);
  });

  it('may be refused as a whole and is still answered 201, stored under its key', async () => {
    const [a, b] = await Promise.all([wallet.newUser(), wallet.newUser()]);
    const key = randomUUID();
    const first = await send('independent', [move(a, b, 1)], key);
    expect(first.status).toBe(201);
    expect(resultsOf(first.body)).toMatchObject([{ status: 'rejected', code: 'INSUFFICIENT_FUNDS' }]);
    expect((await send('independent', [move(a, b, 1)], key)).text).toBe(first.text);
  });
});

describe('A batch', () => {
  it('may have 1,000 transfers with something to say about each, and repeats to the letter', async () => {
    const [a, b] = await Promise.all([wallet.newUser(1000), wallet.newUser()]);
    const note = { description: 'd'.repeat(400), metadata: { note: 'm'.repeat(300) } };
    const transfers = Array.from({ length: 1000 }, () => move(a, b, 1, note));
    expect(JSON.stringify(transfers).length).toBeGreaterThan(800_000);
    const key = randomUUID();
    const first = await send('atomic', transfers, key);
    expect(first.status).toBe(201);
    expect(resultsOf(first.body)).toHaveLength(1000);
    expect(resultsOf(first.body)[999]?.transfer).toMatchObject({ balanceAfter: 0, sequence: 1001, ...note });
    const again = await send('atomic', transfers, key);
    expect(again.text).toBe(first.text);
    expect(again.headers.get('x-idempotent-replay')).toBe('true');
    expect(await Promise.all([a, b].map((user) => wallet.fundsOf(user)))).toEqual([0, 1000]);
  });

  it('of 1,001, of none, or of no known mode is 400', async () => {
    const one = move('a', 'b', 1);
    const many = Array.from({ length: 1001 }, () => one);
    const refused = [
      await send('atomic', many),
      await send('independent', many),
      await send('atomic', []),
      await send('atomic', one),
      await send('both', [one]),
    ];
    for (const answer of refused) expectProblem(answer, 400, 'VALIDATION_FAILED');
  });

  it('with a malformed transfer is 400 as a whole, in both modes', async () => {
    const [a, b] = await Promise.all([wallet.newUser(100), wallet.newUser()]);
    for (const mode of ['atomic', 'independent']) {
      const answer = await send(mode, [move(a, b, 1), move(a, b, 1, { idempotencyKey: randomUUID() })]);
      expectProblem(answer, 400, 'VALIDATION_FAILED');
      expect(answer.body['details']).toEqual({
        errors: [{ path: 'transfers.1.idempotencyKey', message: 'property idempotencyKey should not exist' }],
      });
    }
    expect(await wallet.fundsOf(a)).toBe(100);
  });

  it('of more than a megabyte is 413', async () => {
    const transfer = move('a', 'b', 1, { description: 'x'.repeat(1100) });
    const transfers = Array.from({ length: 1000 }, () => transfer);
    expectProblem(await send('atomic', transfers), 413, 'PAYLOAD_TOO_LARGE');
  });

  it('posts equal transfers as often as they are in it: one key covers the batch', async () => {
    const [a, b] = await Promise.all([wallet.newUser(100), wallet.newUser()]);
    const { body } = await send('independent', [move(a, b, 10), move(a, b, 10), move(a, b, 10)]);
    expect(new Set(resultsOf(body).map(({ transfer }) => transfer?.['id'])).size).toBe(3);
    expect(await wallet.fundsOf(b)).toBe(30);
  });
});

describe('The repeat of a large batch', () => {
  it('does not stand in the queue for money: a server that has forgotten it answers while the ledger is held', async () => {
    const [a, b] = await Promise.all([wallet.newUser(1000), wallet.newUser()]);
    const key = randomUUID();
    const transfers = Array.from({ length: 500 }, () => move(a, b, 1));
    const first = await send('atomic', transfers, key);
    const { url } = holdfast.database;
    const other = await startServer({ env: { ...UNLIMITED, DATABASE_URL: url } });
    const holder = new pg.Client({ connectionString: url });
    await holder.connect();
    try {
      await holder.query('BEGIN; LOCK TABLE ledger_writer IN EXCLUSIVE MODE');
      const repeat = await new WalletClient(other).post('transfers/batch', { mode: 'atomic', transfers }, { key });
      expect(repeat.text).toBe(first.text);
      expect(repeat.headers.get('x-idempotent-replay')).toBe('true');
    } finally {
      await holder.end();
      await other.stop();
    }
  });
});

import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { expectDeclined, FraudClient } from '../support/fraud-client.js';
import type { Answer } from '../support/http-answer.js';
import { newUserId } from '../support/wallet-client.js';
import { WalletCluster } from '../support/wallet-cluster.js';

let cluster: WalletCluster;
let clients: FraudClient[];

beforeAll(async () => {
  cluster = await WalletCluster.create();
  clients = [];
  for (let i = 0; i < 2; i++) clients.push(new FraudClient(await cluster.start()));
});

afterAll(() => cluster?.end());
afterEach(() => client(0).noRules());

function client(turn: number): FraudClient {
  const chosen = clients[turn % clients.length];
  if (chosen === undefined) throw new Error('No server runs');
  return chosen;
}

/** 20 at once, by both processes. */
function twenty(request: (i: number) => object): Promise<Answer[]> {
  return Promise.all(Array.from({ length: 20 }, (_, i) => client(i).create(100, request(i))));
}

/** What the sandbox was asked for. */
async function charges(userIds: readonly string[]): Promise<number> {
  const [row] = await cluster.query<{ made: number }>(
    `SELECT count(*)::integer AS made FROM sandbox_charges
     WHERE payment IN (SELECT id FROM payments WHERE user_id = ANY ($1))`,
    [userIds],
  );
  return row?.made ?? NaN;
}

function expectThree(answers: readonly Answer[]): void {
  expect(answers.filter(({ status }) => status === 201)).toHaveLength(3);
  for (const answer of answers.filter(({ status }) => status !== 201)) expectDeclined(answer);
}

describe('twenty payments at once, over two processes', () => {
  const HOUR = { windowSeconds: 3600 };

  it('against three an hour and user make exactly three calls', async () => {
    await client(0).rule('count', { by: 'user', ...HOUR, limit: 3 });
    const userId = newUserId();
    expectThree(await twenty(() => ({ userId })));
    expect(await charges([userId])).toBe(3);
    expect(await client(0).fundsOf(userId)).toBe(300);
  });

  it('of twenty users with one card and one address make exactly three calls', async () => {
    await client(0).rule('count', { by: 'ip', ...HOUR, limit: 5 });
    await client(0).rule('count', { by: 'card', ...HOUR, limit: 3 });
    const users = Array.from({ length: 20 }, () => newUserId());
    const context = { ip: '192.0.2.1', cardFingerprint: 'one' };
    expectThree(await twenty((i) => ({ userId: users[i], context })));
    expect(await charges(users)).toBe(3);
  });

  it('against a sum make as many calls as fit into it', async () => {
    await client(0).rule('sum', { by: 'email', ...HOUR, limit: 399, currency: 'USD' });
    const users = Array.from({ length: 20 }, () => newUserId());
    expectThree(await twenty((i) => ({ userId: users[i], email: 'ann@example.com' })));
    expect(await charges(users)).toBe(3);
  });

  it('that may all fail make as many calls as may fail', async () => {
    await client(0).rule('failed_attempts', { by: 'device', ...HOUR, limit: 3 });
    const users = Array.from({ length: 20 }, () => newUserId());
    const request = (i: number) => ({ userId: users[i], amount: 4001, context: { deviceId: 'bot' } });
    expectThree(await twenty(request));
    expect(await charges(users)).toBe(3);
  });

  it('with twenty cards make as many calls as there may be cards', async () => {
    await client(0).rule('distinct_cards', { by: 'user', ...HOUR, limit: 3 });
    const userId = newUserId();
    expectThree(await twenty((i) => ({ userId, context: { cardFingerprint: `card-${i}` } })));
    expect(await charges([userId])).toBe(3);
  });

  it('of two rules whose subjects cross do not wait for each other for good', async () => {
    await client(0).rule('count', { by: 'user', ...HOUR, limit: 3 });
    await client(0).rule('count', { by: 'ip', ...HOUR, limit: 100 });
    const users = [newUserId(), newUserId()];
    const answers = await twenty((i) => ({
      userId: users[i % 2],
      context: { ip: `192.0.2.${(i >> 1) % 2}` },
    }));
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(6);
    expect(await charges(users)).toBe(6);
  });
});

describe('a rule', () => {
  it('that is made on one process holds on the other at once, and no more once it is deleted', async () => {
    await client(0).rule('amount', { limit: 99, currency: 'USD' });
    expectDeclined(await client(1).create(100));
    await client(1).noRules();
    expect((await client(0).create(100)).status).toBe(201);
  });

  it('declines once a key, also when the attempt that declined ended before it answered', async () => {
    const rule = await client(0).rule('amount', { limit: 99, currency: 'USD' });
    const [key, request] = [randomUUID(), { userId: newUserId(), amount: 100, currency: 'USD' }];
    const id = expectDeclined(await client(0).post('payments', request, { key }));
    // As if it had: nobody knows what it answered, and the rule is gone meanwhile.
    await cluster.query('DELETE FROM idempotency_records WHERE key = $1', [key]);
    await client(0).noRules();
    expect(rule).toBeDefined();
    expect(expectDeclined(await client(1).post('payments', request, { key }))).toBe(id);
    expect(await charges([request.userId])).toBe(0);
  });
});

describe('a decision whose attempt ended before it answered', () => {
  /** As if the process had been killed between the effect and the answer. */
  async function forget(key: string): Promise<void> {
    await cluster.query(
      `UPDATE idempotency_records
       SET state = 'in_flight', owner = gen_random_uuid(), locked_until = now() - interval '1 second',
         status = NULL, content_type = NULL, body = NULL
       WHERE key = $1`,
      [key],
    );
  }

  const inSuspense = async () => {
    const userId = newUserId();
    const opened = await client(0).post('wallet/accounts', { userId, currency: 'USD' });
    const path = `wallet/accounts/${String(opened.body['id'])}`;
    expect((await client(0).post(`${path}/freeze`, { reason: 'a test' })).status).toBe(200);
    const payment = await client(0).create(100, { userId });
    expect((await client(0).post(`${path}/unfreeze`, { reason: 'a test' })).status).toBe(200);
    return payment;
  };
  const held = async (more: object = {}) => {
    await client(0).rule('amount', { limit: 99, currency: 'USD', action: 'review' });
    return client(0).create(100, more);
  };

  it.each<[string, () => Promise<Answer>, 'approve' | 'decline', object, number]>([
    ['approved money in suspense', inSuspense, 'approve', { settledTo: 'wallet', review: null }, 100],
    ['declined money in suspense', inSuspense, 'decline', { status: 'succeeded', amount: 100 }, 0],
    ['approved what a rule holds back', held, 'approve', { status: 'succeeded', settledTo: 'wallet' }, 100],
    [
      'let go on what a rule holds back',
      () => held({ capture: 'manual' }),
      'approve',
      { status: 'requires_capture' },
      0,
    ],
    ['declined what a rule holds back', held, 'decline', { status: 'canceled' }, 0],
  ])('has %s, once, and another attempt under its key says so', async (_what, make, decision, result, funds) => {
    const { status, body: payment } = await make();
    expect(status).toBe(201);
    const key = randomUUID();
    const first = await client(0).decide(payment['id'], decision, key);
    expect(first.body).toMatchObject(result);
    await forget(key);
    const second = await client(1).decide(payment['id'], decision, key);
    expect({ status: second.status, body: second.body }).toMatchObject({ status: first.status, body: result });
    const { operations } = await client(0).find(payment['id']);
    expect((operations as object[]).length).toBeLessThanOrEqual(2);
    expect(await client(0).fundsOf(payment['userId'])).toBe(funds);
  });
});

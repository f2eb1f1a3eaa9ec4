import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { Answer } from '../support/http-answer.js';
import { waitFor } from '../support/wait-for.js';
import type { Sending } from '../support/wallet-client.js';
import { WalletCluster } from '../support/wallet-cluster.js';

let cluster: WalletCluster;

beforeAll(async () => {
  cluster = await WalletCluster.create();
  await Promise.all([cluster.start(), cluster.start()]);
});

afterEach(() => cluster.wallet(0).expectIntegrity());

afterAll(() => cluster?.end());

/** All at the same time, over both servers in turn. */
function sendAtOnce(requests: readonly { path: string; body?: unknown; key?: string }[]): Promise<Answer[]> {
  return Promise.all(
    requests.map(({ path, body, key }, turn) => {
      const sending: Sending = key === undefined ? {} : { key };
      return cluster.wallet(turn).post(path, body, sending);
    }),
  );
}

function countOf(answers: readonly Answer[], status: number): number {
  return answers.filter((answer) => answer.status === status).length;
}

const transfer = (fromUserId: string, toUserId: string, amount: number) => ({
  path: 'transfers',
  body: { fromUserId, toUserId, amount, currency: 'USD' },
});
const debit = (userId: string, amount: number) => ({
  path: 'transactions',
  body: { userId, type: 'DEBIT', amount, currency: 'USD' },
});

describe('simultaneous debits of a balance that covers one', () => {
  it.each([10, 50])('succeed once and are refused for lack of funds otherwise: %d', async (count) => {
    const userId = await cluster.wallet(0).newUser(100);
    const answers = await sendAtOnce(Array.from({ length: count }, () => debit(userId, 100)));
    expect(countOf(answers, 201)).toBe(1);
    expect(countOf(answers, 402)).toBe(count - 1);
    expect(await cluster.wallet(1).balanceOf(userId)).toMatchObject({ balance: 0, held: 0 });
    expect(await cluster.wallet(1).statementOf(userId)).toHaveLength(2);
  });
});

describe('one key', () => {
  it('sent 5 times at once has one effect and one answer', async () => {
    const [from, to] = await Promise.all([cluster.wallet(0).newUser(100), cluster.wallet(1).newUser()]);
    const request = { ...transfer(from, to, 20), key: randomUUID() };
    const answers = await sendAtOnce(Array.from({ length: 5 }, () => request));
    expect(countOf(answers, 201)).toBe(5);
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
    expect(answers.filter(({ headers }) => headers.get('x-idempotent-replay') === 'true')).toHaveLength(4);
    expect(await cluster.wallet(0).fundsOf(from)).toBe(80);
  });

  it('sent 200 times at once, a tenth of them altered, has one effect; the others are told apart', async () => {
    const [from, to] = await Promise.all([cluster.wallet(0).newUser(1000), cluster.wallet(1).newUser()]);
    const key = randomUUID();
    const requests = Array.from({ length: 200 }, (_, n) => ({ ...transfer(from, to, n % 10 === 3 ? 21 : 20), key }));
    const answers = await sendAtOnce(requests);
    const posted = answers.filter(({ status }) => status === 201);
    const reused = answers.filter(({ status, body }) => status === 422 && body['code'] === 'IDEMPOTENCY_KEY_REUSED');
    expect(posted.length + reused.length).toBe(200);
    expect([180, 20]).toContain(posted.length);
    expect(new Set(posted.map(({ text }) => text)).size).toBe(1);
    const amount = Number(posted[0]?.body['amount']);
    answers.forEach(({ status }, n) => expect(status).toBe(requests[n]?.body.amount === amount ? 201 : 422));
    expect(await cluster.wallet(0).fundsOf(from)).toBe(1000 - amount);
    expect(await cluster.wallet(0).statementOf(to)).toHaveLength(1);
  });
});

describe('an overdraft under load', () => {
  it('never happens: what is paid out is what was there', async () => {
    const [payer, ...payees] = await cluster.wallet(0).newUsers(9);
    await cluster.wallet(0).post('transactions', { userId: payer, type: 'CREDIT', amount: 500, currency: 'USD' });
    const answers = await sendAtOnce(
      Array.from({ length: 300 }, (_, n) => transfer(payer!, payees[n % payees.length]!, 1 + (n % 7))),
    );
    expect(countOf(answers, 201) + countOf(answers, 402)).toBe(300);
    const paid = answers.reduce((sum, { status, body }) => sum + (status === 201 ? Number(body['amount']) : 0), 0);
    const { balance } = await cluster.wallet(1).balanceOf(payer!);
    expect(balance).toBe(500 - paid);
    expect(balance).toBeGreaterThanOrEqual(0);
    const balances = answers.flatMap(({ status, body }) => (status === 201 ? [Number(body['balanceAfter'])] : []));
    expect(Math.min(...balances)).toBeGreaterThanOrEqual(0);
  });
});

describe('opposite transfers, A to B and B to A, by the thousand', () => {
  it('end without a deadlock and with exact sums', async () => {
    const [a, b] = await cluster.wallet(0).newUsers(2, 100_000);
    const wave = (from: string, to: string, amount: number) =>
      Array.from({ length: 250 }, () => transfer(from, to, amount));
    let sent = 0;
    for (let round = 0; round < 4; round++) {
      const mixed = wave(a!, b!, 3).flatMap((one, n) => [one, wave(b!, a!, 2)[n]!]);
      const answers = await sendAtOnce(mixed);
      sent += countOf(answers, 201);
    }
    expect(sent).toBe(2000);
    expect(await cluster.wallet(0).fundsOf(a!)).toBe(100_000 - 1000 * 3 + 1000 * 2);
    expect(await cluster.wallet(1).fundsOf(b!)).toBe(100_000 + 1000 * 3 - 1000 * 2);
    const [last] = await cluster.query<{ deadlocks: string }>(
      'SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()',
    );
    expect(Number(last?.deadlocks)).toBe(0);
  });

  it('do so in batches as well', async () => {
    const [a, b] = await cluster.wallet(0).newUsers(2, 10_000);
    const batchOf = (from: string, to: string) => ({
      path: 'transfers/batch',
      body: { mode: 'atomic', transfers: Array.from({ length: 100 }, () => transfer(from, to, 1).body) },
    });
    const answers = await sendAtOnce(
      Array.from({ length: 20 }, (_, n) => (n % 4 < 2 ? batchOf(a!, b!) : batchOf(b!, a!))),
    );
    expect(countOf(answers, 201)).toBe(20);
    expect(await Promise.all([a!, b!].map((user) => cluster.wallet(0).fundsOf(user)))).toEqual([10_000, 10_000]);
  });
});

describe('a hold that is captured, voided and out of time at once', () => {
  it.each([...Array(5).keys()])('is resolved once (round %d)', async () => {
    const [userId, payee] = await cluster.wallet(0).newUsers(2, 100);
    const expiresInSeconds = 1;
    const held = await cluster
      .wallet(0)
      .post('holds', { userId, toUserId: payee, amount: 40, currency: 'USD', expiresInSeconds });
    const path = `holds/${String(held.body['id'])}`;
    const expiry = Date.parse(String(held.body['expiresAt']));
    await new Promise((resolve) => setTimeout(resolve, expiry - Date.now() - 2));
    const requests = Array.from({ length: 16 }, (_, n) => ({ path: `${path}/${n % 4 < 2 ? 'capture' : 'void'}` }));
    const answers = await sendAtOnce(requests);
    const won = answers.filter(({ status }) => status === 200);
    expect(won.length).toBeLessThanOrEqual(1);
    expect(countOf(answers, 409)).toBe(16 - won.length);

    const status = await endOf(path);
    const outcome = won[0]?.body['status'] ?? 'EXPIRED';
    expect(status).toBe(outcome);
    const paid = outcome === 'CAPTURED' ? 40 : 0;
    expect(await cluster.wallet(1).balanceOf(userId!)).toMatchObject({ balance: 100 - paid, held: 0 });
    expect(await cluster.wallet(1).fundsOf(payee!)).toBe(100 + paid);
  });
});

/** What the hold came to be in the end. */
async function endOf(path: string): Promise<unknown> {
  return waitFor(async () => {
    const { body } = await cluster.wallet(0).get(path);
    return body['status'] === 'ACTIVE' ? undefined : body['status'];
  });
}

describe('one transaction reversed 20 times at once', () => {
  it('is reversed once', async () => {
    const [from, to] = await Promise.all([cluster.wallet(0).newUser(100), cluster.wallet(1).newUser(1000)]);
    const { body } = await cluster.wallet(0).post('transfers', transfer(from, to, 60).body);
    const path = `transactions/${String(body['id'])}/reverse`;
    const answers = await sendAtOnce(Array.from({ length: 20 }, () => ({ path })));
    expect(countOf(answers, 201)).toBe(1);
    expect(answers.filter(({ body: refused }) => refused['code'] === 'ALREADY_REVERSED')).toHaveLength(19);
    expect(await Promise.all([from, to].map((user) => cluster.wallet(0).fundsOf(user)))).toEqual([100, 1000]);
  });
});

describe('one charge under 30 keys at once', () => {
  it('is charged once: its category and reference are unique', async () => {
    const userId = await cluster.wallet(0).newUser(1000);
    const note = { category: 'usage.api', reference: randomUUID() };
    const charge = { path: 'transactions', body: { ...debit(userId, 10).body, ...note } };
    const answers = await sendAtOnce(Array.from({ length: 30 }, () => charge));
    expect(countOf(answers, 201)).toBe(1);
    expect(answers.filter(({ body }) => body['code'] === 'REFERENCE_ALREADY_USED')).toHaveLength(29);
    expect(await cluster.wallet(1).fundsOf(userId)).toBe(990);
  });
});

describe('one account opened 20 times at once', () => {
  it('is one account, made once', async () => {
    const userId = `user-${randomUUID()}`;
    const answers = await sendAtOnce(
      Array.from({ length: 20 }, () => ({ path: 'accounts', body: { userId, currency: 'USD' } })),
    );
    expect([countOf(answers, 201), countOf(answers, 200)]).toEqual([1, 19]);
    expect(new Set(answers.map(({ body }) => body['id'])).size).toBe(1);
  });
});

import { randomUUID } from 'node:crypto';
import { Pool } from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { PaymentsClient } from '../support/payments-client.js';
import { startServer, type TestServer } from '../support/server.js';
import { waitFor } from '../support/wait-for.js';
import { newUserId, WalletClient } from '../support/wallet-client.js';

/** The sandbox makes what it is asked for, and does not answer: the process can be killed in the middle of the call. */
const NO_ANSWER = 4005;

let database: TestDatabase;
let pool: Pool;
let server: TestServer;

beforeAll(async () => {
  database = await createTestDatabase();
  pool = new Pool({ connectionString: database.url, max: 2 });
});

afterAll(async () => {
  await pool?.end();
  await database?.drop();
});

const start = async (env: Record<string, string> = {}) => {
  server = await startServer({ env: { DATABASE_URL: database.url, IDEMPOTENCY_LOCK_MS: '500', ...env } });
};

beforeEach(() => start());

afterEach(async () => {
  await new WalletClient(server).expectIntegrity();
  await server.kill('SIGKILL');
});

const client = () => new PaymentsClient(server);

async function count(sql: string, parameters: unknown[] = []): Promise<number> {
  const { rows } = await pool.query<{ count: string }>(`SELECT count(*) FROM ${sql}`, parameters);
  return Number(rows[0]?.count);
}

/** Kills the server once the sandbox has carried out the call, and starts another. */
async function killOnce(isMade: () => Promise<boolean>, call: Promise<unknown>): Promise<void> {
  await waitFor(isMade, { what: 'the sandbox to have carried out the call' });
  await Promise.all([server.kill('SIGKILL'), call.catch(() => undefined)]);
  await start();
}

/** Sends it until it is neither in flight nor refused for the moment. */
function repeat(path: string, body: object, key: string) {
  return waitFor(
    async () => {
      const answer = await client().post(path, body, { key });
      return answer.status === 409 && answer.body['code'] === 'IDEMPOTENCY_KEY_IN_USE' ? undefined : answer;
    },
    { what: 'the request to be answered' },
  );
}

describe('a server that is killed in the middle of a call to the provider', () => {
  it('has made one charge, which the same key and the wallet show', async () => {
    const [key, request] = [randomUUID(), { userId: newUserId(), amount: NO_ANSWER, currency: 'USD' }];
    const call = client().post('payments', request, { key });
    await killOnce(async () => (await count('sandbox_charges WHERE amount = $1', [NO_ANSWER])) > 0, call);
    const { status, body } = await repeat('payments', request, key);
    expect([201, 202]).toContain(status);
    await client().untilStatus(body['id'], 'succeeded');
    expect(await count('payments WHERE user_id = $1', [request.userId])).toBe(1);
    expect(await count('sandbox_charges WHERE payment = $1', [body['id']])).toBe(1);
    expect(await client().fundsOf(request.userId)).toBe(NO_ANSWER);
  });

  it('has captured once', async () => {
    const { body } = await client().create(9000, { capture: 'manual' });
    const [key, path, request] = [randomUUID(), `payments/${String(body['id'])}/capture`, { amount: NO_ANSWER }];
    const call = client().post(path, request, { key });
    await killOnce(
      async () => (await count('sandbox_charges WHERE received = $1 AND amount = 9000', [NO_ANSWER])) > 0,
      call,
    );
    const answer = await repeat(path, request, key);
    expect(answer).toMatchObject({ status: 200, body: { status: 'succeeded', capturedAmount: NO_ANSWER } });
    expect(await client().fundsOf(body['userId'])).toBe(NO_ANSWER);
  });

  it('has refunded once', async () => {
    const { body } = await client().create(9000);
    const [key, path, request] = [randomUUID(), `payments/${String(body['id'])}/refunds`, { amount: NO_ANSWER }];
    const call = client().post(path, request, { key });
    const made = () => count('sandbox_refunds WHERE charge = $1', [body['providerReference']]);
    await killOnce(async () => (await made()) > 0, call);
    const answer = await repeat(path, request, key);
    expect([201, 202]).toContain(answer.status);
    await waitFor(async () => {
      const { refunds } = (await client().find(body['id'])) as { refunds: { status: string }[] };
      return refunds.length === 1 && refunds[0]?.status === 'succeeded';
    });
    expect(await made()).toBe(1);
    expect(await client().fundsOf(body['userId'])).toBe(9000 - NO_ANSWER);
  });

  it('leaves nothing open when nobody asks again', async () => {
    const request = { userId: newUserId(), amount: NO_ANSWER, currency: 'USD' };
    const before = await count('sandbox_charges');
    await killOnce(async () => (await count('sandbox_charges')) > before, client().post('payments', request));
    await waitFor(async () => (await client().fundsOf(request.userId)) === NO_ANSWER, { timeout: 60_000 });
    await waitFor(async () => (await count(`provider_operations WHERE outcome IN ('pending', 'unknown')`)) === 0, {
      timeout: 60_000,
    });
  });
});

describe('a server that stands still while it begins a payment', () => {
  it('goes on with the one that another server began for the same key meanwhile', async () => {
    // How keys of this caller and route are stored.
    await client().create(100);
    const [{ scope } = { scope: '' }] = (
      await pool.query<{ scope: string }>(`SELECT request_scope AS scope FROM provider_operations LIMIT 1`)
    ).rows;
    const [key, request] = [randomUUID(), { userId: newUserId(), amount: 778, currency: 'USD' }];
    const waiting = () => count(`pg_locks WHERE locktype = 'advisory' AND NOT granted`);
    const sleeper = server;
    const holder = await pool.connect();
    try {
      await holder.query('BEGIN');
      await holder.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [`${scope} ${key}`]);
      const late = client().post('payments', request, { key });
      await waitFor(async () => (await waiting()) === 1, { what: 'the first attempt to be about to begin' });
      await sleeper.kill('SIGSTOP');
      await start();
      const taken = repeat('payments', request, key);
      await waitFor(async () => (await waiting()) === 2, { what: 'the second attempt to be about to begin' });
      await holder.query('ROLLBACK');
      await sleeper.kill('SIGCONT');
      const answers = await Promise.all([late, taken]);
      const ids = answers.flatMap(({ body }) => (body['id'] === undefined ? [] : [body['id']]));
      expect(ids.length).toBeGreaterThan(0);
      expect(new Set(ids).size).toBe(1);
      await client().untilStatus(ids[0], 'succeeded');
      expect(await count('payments WHERE user_id = $1', [request.userId])).toBe(1);
      expect(await count('sandbox_charges WHERE payment = $1', [ids[0]])).toBe(1);
      expect(await client().fundsOf(request.userId)).toBe(778);
    } finally {
      holder.release();
      await sleeper.kill('SIGCONT');
      await sleeper.kill('SIGKILL');
    }
  });
});

describe('a payment that the provider has made and that cannot be booked at the moment', () => {
  it('is unknown, and is not made again under its key', async () => {
    await server.kill('SIGKILL');
    await start({ DB_STATEMENT_TIMEOUT_MS: '500' });
    const [key, request] = [randomUUID(), { userId: newUserId(), amount: 777, currency: 'USD' }];
    const holder = await pool.connect();
    try {
      await holder.query('BEGIN; LOCK TABLE ledger_writer IN EXCLUSIVE MODE');
      const { status, body } = await client().post('payments', request, { key });
      expect({ status, charge: body['status'] }).toEqual({ status: 202, charge: 'unknown' });
    } finally {
      await holder.query('ROLLBACK');
      holder.release();
    }
    const again = await client().post('payments', request, { key });
    expect(again.headers.get('x-idempotent-replay')).toBe('true');
    await client().untilStatus(again.body['id'], 'succeeded');
    expect(await count('payments WHERE user_id = $1', [request.userId])).toBe(1);
    expect(await count('sandbox_charges WHERE payment = $1', [again.body['id']])).toBe(1);
    expect(await client().fundsOf(request.userId)).toBe(777);
  });
});

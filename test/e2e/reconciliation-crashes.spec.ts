import { Pool } from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { PaymentsClient, type Shown } from '../support/payments-client.js';
import { countsOf, ReconciliationClient } from '../support/reconciliation-client.js';
import { startServer, type TestServer } from '../support/server.js';
import { StripeApi } from '../support/stripe-api.js';
import { waitFor } from '../support/wait-for.js';
import { WalletClient } from '../support/wallet-client.js';

const STRIPE_SECRET_KEY = 'sk_test_2bX08HqLyjWDarjtT1zdp7dc';

let stripe: StripeApi;
let database: TestDatabase;
let pool: Pool;
let server: TestServer;
let other: TestServer | undefined;

beforeAll(async () => {
  stripe = await StripeApi.start(STRIPE_SECRET_KEY);
  database = await createTestDatabase();
  pool = new Pool({ connectionString: database.url, max: 2 });
  server = await start();
});

afterEach(async () => {
  await new WalletClient(server).expectIntegrity();
  await other?.kill('SIGKILL');
  other = undefined;
});

afterAll(async () => {
  await server?.kill('SIGKILL');
  await pool?.end();
  await database?.drop();
  await stripe?.stop();
});

const start = () =>
  startServer({ env: { DATABASE_URL: database.url, STRIPE_SECRET_KEY, STRIPE_API_BASE: stripe.url } });

/** Payments that customers have made and nobody here knows of. */
async function unheardOf(count: number): Promise<Shown[]> {
  const all = await Promise.all(
    Array.from({ length: count }, async (_, n) => {
      const { body } = await new PaymentsClient(server).create(1000 + n, { provider: 'stripe' });
      return body;
    }),
  );
  await pool.query('UPDATE payments SET next_check_at = NULL');
  for (const { providerReference } of all) stripe.state.pay(String(providerReference));
  return all;
}

/** Asks for a run, which stands still with the second page of Stripe's list. */
async function hanging(from: TestServer): Promise<unknown> {
  for (let n = 0; n < 120; n++) stripe.state.pay(stripe.state.create({ amount: '500', currency: 'usd' }).id);
  const client = new ReconciliationClient(from);
  await client.untilSecondIsOver();
  stripe.failNext('listBalanceTransactions', 'hang', ({ starting_after }) => starting_after !== undefined);
  const before = secondPages();
  const { status, body } = await client.ask({ provider: 'stripe' });
  expect({ status, body }).toMatchObject({ status: 202 });
  await waitFor(() => secondPages() > before, { what: 'the run to stand still' });
  return body['id'];
}

function secondPages(): number {
  return stripe.callsOf('listBalanceTransactions', ({ params }) => params['starting_after'] !== undefined).length;
}

/** Which of the two works on the run. */
async function workerOf(servers: readonly TestServer[]): Promise<TestServer> {
  const { rows } = await pool.query<{ claimed_by: string }>(
    `SELECT claimed_by FROM jobs WHERE kind = 'payments.reconcile' AND state = 'RUNNING'`,
  );
  const worker = servers.find(({ pid }) => rows[0]?.claimed_by.endsWith(`:${pid}`));
  if (worker === undefined) throw new Error(`It is ${JSON.stringify(rows)}`);
  return worker;
}

/** As if half a minute had passed since its worker's last sign of life. */
async function endLease(): Promise<void> {
  await pool.query(`UPDATE jobs SET due_at = now() WHERE kind = 'payments.reconcile' AND state = 'RUNNING'`);
}

async function expectAllCreditedOnce(all: readonly Shown[]): Promise<void> {
  for (const { id, userId, amount } of all) {
    expect(await new PaymentsClient(server).fundsOf(userId)).toBe(amount);
    const { rowCount } = await pool.query('SELECT FROM ledger_transfers WHERE reference = $1', [
      `settle:${String(id)}`,
    ]);
    expect(rowCount).toBe(1);
  }
}

describe('a run whose process is killed in the middle', () => {
  it('goes on in another, and credits each payment once', async () => {
    other = await start();
    const all = await unheardOf(10);
    const id = await hanging(server);
    const before = await pool.query<{ movements: number }>('SELECT movements FROM reconciliations WHERE id = $1', [id]);
    expect(before.rows[0]?.movements).toBeGreaterThan(0);
    const worker = await workerOf([server, other]);
    const survivor = worker === server ? other : server;
    await worker.kill('SIGKILL');
    [server, other] = [survivor, undefined];
    await endLease();
    const over = await new ReconciliationClient(server).untilOver(id);
    expect(over).toMatchObject({ status: 'completed', open: 0 });
    expect(countsOf(over)).toMatchObject({ movements: 130, healed: 10, foreign: 120, missingHere: 0, missingThere: 0 });
    await expectAllCreditedOnce(all);
  });
});

describe('a run whose process is taken for dead', () => {
  it('is carried out by another, and the first writes nothing any more', async () => {
    const all = await unheardOf(5);
    const id = await hanging(server);
    other = await start();
    await endLease();
    const over = await new ReconciliationClient(other).untilOver(id);
    expect(over).toMatchObject({ status: 'completed', open: 0 });
    expect(countsOf(over)).toMatchObject({ healed: 5, missingHere: 0, missingThere: 0 });
    await expectAllCreditedOnce(all);
    const { rows } = await pool.query(`SELECT status FROM reconciliations WHERE id = $1`, [id]);
    expect(rows).toEqual([{ status: 'completed' }]);
  });
});

describe('two processes asked at the same time', () => {
  it('make one run of the same window', async () => {
    const all = await unheardOf(5);
    other = await start();
    const clients = [new ReconciliationClient(server), new ReconciliationClient(other)];
    await clients[0]?.untilSecondIsOver();
    stripe.failNext('listBalanceTransactions', 'rateLimited');
    const answers = await Promise.all(clients.map((client) => client.ask({ provider: 'stripe' })));
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([202, 409]);
    const made = answers.find(({ status }) => status === 202);
    const over = await clients[0]?.untilOver(made?.body['id']);
    expect(over).toMatchObject({ status: 'completed', open: 0, report: { counts: { healed: 5 } } });
    await expectAllCreditedOnce(all);
  });
});

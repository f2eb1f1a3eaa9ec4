import { randomUUID } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { runCommandLine } from '../support/command-line.js';
import { type Answer, answerOf, expectProblem } from '../support/http-answer.js';
import { PaymentsClient, type Shown } from '../support/payments-client.js';
import { countsOf, differencesOf, ReconciliationClient } from '../support/reconciliation-client.js';
import { startServer } from '../support/server.js';
import { serverUnderTest } from '../support/server-under-test.js';
import { userToken } from '../support/user-token.js';
import { waitFor } from '../support/wait-for.js';

const holdfast = serverUnderTest();

const client = () => new ReconciliationClient(holdfast.server);
const payments = () => new PaymentsClient(holdfast.server);

/** An amount of the sandbox for which no webhook comes. */
const NO_WEBHOOK = 4010;
/** One that the customer pays by pressing a button. */
const WITH_BUTTON = 4003;

async function paid(amount: number): Promise<Shown> {
  const { body } = await payments().create(amount);
  expect(body).toMatchObject({ status: 'succeeded', provider: 'sandbox' });
  return body;
}

async function post(input: object, key: string): Promise<Answer> {
  const headers = { 'content-type': 'application/json', 'idempotency-key': key };
  return answerOf(
    await holdfast.server.fetch('/api/reconciliations', { method: 'POST', headers, body: JSON.stringify(input) }),
  );
}

const ago = (ms: number) => new Date(Date.now() - ms).toISOString();
const HOUR = 3_600_000;

describe('a reconciliation with the sandbox', () => {
  it('finds payments, refunds and those sent back on all sides, and nothing open', async () => {
    const { body: before } = await holdfast.call('GET', '/api/reconciliations');
    expect(before['data']).toEqual([]);
    const payment = await paid(9000);
    await paid(NO_WEBHOOK);
    await payments().post(`payments/${String(payment['id'])}/refunds`, { amount: 1500 });
    const sentBack = await paid(4011);
    await payments().post(`payments/${String(sentBack['id'])}/refunds`, { amount: 600 });
    await waitFor(
      async () => ((await payments().find(sentBack['id']))['refunds'] as Shown[])[0]?.['status'] === 'failed',
    );

    const run = await client().run('sandbox');
    expect(run).toMatchObject({
      provider: 'sandbox',
      mode: 'test',
      status: 'completed',
      open: 0,
      differences: [],
      nextCursor: null,
      progress: { step: 'concluding', movements: 6, compared: 6, collectedTo: run['to'] },
      createdBy: expect.stringMatching(/^api-key:/),
    });
    const sum = 9000 + NO_WEBHOOK - 1500 + 4011;
    expect(run['report']).toMatchObject({
      counts: { movements: 6, matched: 6, healed: 0, foreign: 0 },
      fees: [],
      balances: [{ currency: 'USD', provider: sum, clearing: -sum, inTransit: 0, unavailable: 0, difference: 0 }],
    });
    const { totals } = run['report'] as { totals: Shown[] };
    expect(totals.map(({ kind, currency, count, amount }) => ({ kind, currency, count, amount }))).toEqual([
      { kind: 'charge', currency: 'USD', count: 3, amount: 9000 + NO_WEBHOOK + 4011 },
      { kind: 'refund', currency: 'USD', count: 3, amount: -1500 },
    ]);
    expect(await holdfast.sql('SELECT FROM reconciliation_movements')).toEqual([]);
    const { body: list } = await holdfast.call('GET', '/api/reconciliations?provider=sandbox');
    expect(list['data']).toMatchObject([{ id: run['id'], status: 'completed', open: 0 }]);
    const audit = await holdfast.call('GET', `/api/audit?subject=reconciliation:${String(run['id'])}`);
    expect(audit.body['data']).toMatchObject([
      { action: 'reconciliation.completed', actor: 'system:reconciliation' },
      { action: 'reconciliation.created', actor: run['createdBy'] },
    ]);
  });

  it('credits what a customer paid without anybody hearing of it', async () => {
    const { body: payment } = await payments().create(WITH_BUTTON);
    await holdfast.sql('UPDATE payments SET next_check_at = NULL WHERE id = $1', [payment['id']]);
    // The sandbox's books, without its webhook.
    await holdfast.sql(`UPDATE sandbox_charges SET status = 'succeeded', received = amount WHERE payment = $1`, [
      payment['id'],
    ]);
    await holdfast.sql(
      `INSERT INTO sandbox_movements (id, kind, object, charge, payment, amount, currency)
       SELECT uuidv7(), 'charge', id, id, payment, amount, currency FROM sandbox_charges WHERE payment = $1`,
      [payment['id']],
    );
    const run = await client().run('sandbox');
    expect(differencesOf(run, payment['id'])).toMatchObject([{ kind: 'status', state: 'healed', difference: 0 }]);
    expect(countsOf(run)).toMatchObject({ healed: 1 });
    expect(run['open']).toBe(0);
    expect(await payments().fundsOf(payment['userId'])).toBe(WITH_BUTTON);
    const again = await client().run('sandbox');
    expect(again).toMatchObject({ open: 0, differences: [], report: { counts: { healed: 0 } } });
  });
});

describe('what the sandbox takes back', () => {
  /** The webhooks of all that happens meanwhile are lost. */
  async function unheard(work: () => Promise<void>): Promise<void> {
    await holdfast.sql(`CREATE FUNCTION lose_event() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'`);
    await holdfast.sql(
      'CREATE TRIGGER lose_event BEFORE INSERT ON sandbox_events FOR EACH ROW EXECUTE FUNCTION lose_event()',
    );
    try {
      await work();
    } finally {
      await holdfast.sql('DROP FUNCTION lose_event() CASCADE');
    }
  }

  async function press(payment: Shown, button: string): Promise<void> {
    const path = `/sandbox/pay/${String(payment['providerReference'])}/${button}`;
    const { status } = await holdfast.server.fetch(path, { method: 'POST', redirect: 'manual' });
    expect(status).toBe(303);
  }

  const isDisputed = (payment: Shown) =>
    waitFor(
      async () => {
        const found = await holdfast.sql(`SELECT FROM sandbox_disputes WHERE charge = $1 AND status <> 'announced'`, [
          payment['providerReference'],
        ]);
        return found.length > 0;
      },
      { timeout: 20_000, what: 'the sandbox to dispute the payment' },
    );

  /** With the clearing account of all times, not only of the window. */
  async function expectNothingMore(): Promise<void> {
    expect(await client().run('sandbox')).toMatchObject({
      open: 0,
      differences: [],
      report: { counts: { healed: 0 }, balances: [{ currency: 'USD', difference: 0 }] },
    });
    const [both] = await holdfast.sql<{ sum: string }>(
      `SELECT (SELECT sum(amount) FROM sandbox_movements)
         + (SELECT sum(balance) FROM ledger_accounts WHERE owner = 'clearing:sandbox:test') AS sum`,
    );
    expect(Number(both?.sum)).toBe(0);
  }

  it('without a webhook is found by the run: disputes, what is won of them, and refunds on the page', async () => {
    await unheard(async () => {
      const [disputed, refunded] = [await paid(4014), await paid(2200)];
      await isDisputed(disputed);
      await press(refunded, 'refund');
      const run = await client().run('sandbox');
      expect(run['open']).toBe(0);
      expect(differencesOf(run, disputed['id'])).toMatchObject([
        { kind: 'missing_here', state: 'healed', movementKind: 'dispute', providerAmount: -4014, bookedAmount: -4014 },
      ]);
      expect(differencesOf(run, refunded['id'])).toMatchObject([
        { kind: 'missing_here', state: 'healed', movementKind: 'refund', providerAmount: -2200, bookedAmount: -2200 },
      ]);
      expect(await payments().fundsOf(disputed['userId'])).toBe(0);
      expect(await payments().fundsOf(refunded['userId'])).toBe(0);
      await expectNothingMore();

      await press(disputed, 'win');
      expect(differencesOf(await client().run('sandbox'), disputed['id'])).toMatchObject([
        { kind: 'status', state: 'healed', movementKind: 'reinstatement', providerAmount: 4014 },
      ]);
      expect(await payments().fundsOf(disputed['userId'])).toBe(4014);
      await expectNothingMore();
    });
  });
});

describe('POST /api/reconciliations', () => {
  it.each([
    ['a time that is none', { from: 'yesterday' }, 'from'],
    ['a day without a time', { to: '2026-01-31' }, 'to'],
    ['an end in the future', { to: new Date(Date.now() + HOUR).toISOString() }, 'to'],
    ['an end before the beginning', { from: ago(HOUR), to: ago(2 * HOUR) }, 'from'],
    ['an end that is the beginning', { from: '2026-01-31T09:00:00.100Z', to: '2026-01-31T09:00:00.900Z' }, 'from'],
    ['more than 31 days', { from: ago(32 * 24 * HOUR), to: ago(HOUR) }, 'from'],
    ['a provider that is not configured', { provider: 'stripe' }, 'provider'],
    ['a provider that is none', { provider: 'bank' }, 'provider'],
  ])('refuses %s', async (_, input, path) => {
    const answer = await client().ask({ provider: 'sandbox', ...input });
    expectProblem(answer, 400, 'VALIDATION_FAILED');
    expect(JSON.stringify(answer.body)).toContain(path);
  });

  it('answers a repeat like the first time, and makes one run', async () => {
    const key = randomUUID();
    const input = { provider: 'sandbox', from: ago(3 * HOUR), to: ago(2 * HOUR) };
    const [first, second] = [await post(input, key), await post(input, key)];
    expect(first.status).toBe(202);
    expect(second.body).toEqual(first.body);
    await client().untilOver(first.body['id']);
  });

  it('makes one run of a window at a time', async () => {
    const input = { provider: 'sandbox', from: ago(30 * HOUR), to: ago(20 * HOUR) };
    const answers = await Promise.all(Array.from({ length: 5 }, () => client().ask(input)));
    const made = answers.filter(({ status }) => status === 202);
    expect(made.length).toBeGreaterThanOrEqual(1);
    for (const answer of answers.filter(({ status }) => status !== 202)) {
      expectProblem(answer, 409, 'RECONCILIATION_RUNNING');
      expect(made.map(({ body }) => body['id'])).toContain((answer.body['details'] as Shown)['reconciliation']);
    }
    for (const { body } of made) await client().untilOver(body['id']);
  });

  it('is for keys and staff with the scope, and so is reading', async () => {
    const user = await userToken('user-reconciler');
    const [reader, writer] = [await holdfast.keyWith('payments:read'), await holdfast.keyWith('payments:write')];
    const run = await client().run('sandbox', { from: ago(5 * HOUR), to: ago(4 * HOUR) });
    const one = `/api/reconciliations/${String(run['id'])}`;
    for (const [method, path] of [
      ['GET', '/api/reconciliations'],
      ['GET', one],
      ['POST', '/api/reconciliations'],
    ] as const) {
      const body = method === 'POST' ? { provider: 'sandbox', from: ago(7 * HOUR), to: ago(6 * HOUR) } : undefined;
      expectProblem(await holdfast.call(method, path, body, user), 403, 'FORBIDDEN');
      const [allowed, refused] = method === 'POST' ? [writer, reader] : [reader, writer];
      expectProblem(await holdfast.call(method, path, body, refused), 403, 'FORBIDDEN');
      const answer = await holdfast.call(method, path, body, allowed);
      expect(answer.status).toBe(method === 'POST' ? 202 : 200);
      if (method === 'POST') await client().untilOver(answer.body['id']);
    }
    expectProblem(await holdfast.call('GET', `/api/reconciliations/${randomUUID()}`), 404, 'NOT_FOUND');
    expectProblem(await holdfast.call('GET', '/api/reconciliations/none'), 404, 'NOT_FOUND');
  });
});

describe('npx holdfast payments reconcile', () => {
  const reconcile = (...args: string[]) =>
    runCommandLine(['payments', 'reconcile', '--url', holdfast.server.url, ...args], {
      HOLDFAST_API_KEY: holdfast.server.adminKey,
    });

  it('ends with 0 when nothing is open, and with 1 and a table when something is', async () => {
    const payment = await paid(7700);
    await client().untilSecondIsOver();
    const agreed = await reconcile('--provider', 'sandbox');
    expect({ code: agreed.code, stderr: agreed.stderr }).toMatchObject({ code: 0 });
    expect(agreed.stdout).toMatch(/^sandbox \(test\), .*: nothing is open$/m);
    expect(agreed.stdout).toMatch(/^matched +[1-9]/m);
    expect(agreed.stdout).toMatch(/^USD +\d+ +-\d+ +0 +0$/m);

    await holdfast.sql('UPDATE sandbox_movements SET amount = 7600 WHERE payment = $1', [payment['id']]);
    const differs = await reconcile('--provider', 'sandbox', '--from', ago(HOUR));
    expect(differs.code).toBe(1);
    expect(differs.stdout).toMatch(/: 1 open$/m);
    expect(differs.stdout).toContain(['amount', 'charge', '7600 USD', '7700 USD', '-100'].join('  '));
    const json = await reconcile('--provider', 'sandbox', '--json');
    expect(json.code).toBe(1);
    expect(JSON.parse(json.stdout)).toMatchObject({
      open: 1,
      differences: [{ kind: 'amount', paymentId: payment['id'] }],
    });
    await holdfast.sql('UPDATE sandbox_movements SET amount = 7700 WHERE payment = $1', [payment['id']]);
    expect((await reconcile('--provider', 'sandbox')).code).toBe(0);
  });

  it.each([
    [[], /--provider/],
    [['--provider', 'stripe'], /stripe is not configured here/],
    [['--provider', 'sandbox', '--from', 'monday'], /from must be a time/],
    [['--provider', 'sandbox', '--url', 'http://127.0.0.1:9'], /no server answers|cannot be reached/],
  ])('ends with 2 when it could not be done: %j', async (args, words) => {
    const { code, stderr } = await reconcile(...args);
    expect(stderr).toMatch(words);
    expect(code).toBe(2);
  });
});

describe('the nightly run', () => {
  it('is made once a day, whichever process comes first, over the last two days', async () => {
    const env = { DATABASE_URL: holdfast.database.url, PAYMENTS_RECONCILE_AT: '00:00' };
    const replicas = await Promise.all([startServer({ env }), startServer({ env })]);
    try {
      const nightly = () =>
        holdfast.sql<{ id: string; hours: number }>(
          `SELECT id, extract(epoch FROM window_to - window_from)::integer / 3600 AS hours
           FROM reconciliations WHERE occasion IS NOT NULL AND provider = 'sandbox'`,
        );
      const made = await waitFor(async () => (await nightly())[0]);
      expect(made.hours).toBe(48);
      expect(await client().untilOver(made.id)).toMatchObject({
        status: 'completed',
        createdBy: 'system:reconciliation',
      });
      expect(await nightly()).toHaveLength(1);
    } finally {
      for (const replica of replicas) await replica.stop();
    }
  });
});

import { randomInt, randomUUID } from 'node:crypto';
import { Pool } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import type { Answer } from '../support/http-answer.js';
import { PaymentsClient, type Shown } from '../support/payments-client.js';
import { countsOf, ReconciliationClient } from '../support/reconciliation-client.js';
import { startServer, type TestServer } from '../support/server.js';
import { SECRET_VARIABLES } from '../support/signing.js';
import { type Fault, StripeApi } from '../support/stripe-api.js';
import type { StripeCall } from '../support/stripe-parameters.js';
import { STRIPE_KEY } from '../support/stripe-under-test.js';
import { waitFor } from '../support/wait-for.js';
import { WalletClient } from '../support/wallet-client.js';
import { WebhookSender } from '../support/webhook-sender.js';

/** `STORM_SEED=… npm test -- payments-storm` plays one again; what runs at the same time is not in it. */
const SEED = Number(process.env['STORM_SEED'] ?? randomInt(2 ** 31));
const PAYMENTS = 100;
const AT_ONCE = 8;
const USERS = 20;
/** After so many payments the server is killed. */
const KILLED_AFTER = [15, 45, 80];
const FAULTS: readonly Fault[] = [
  'resetBefore',
  'resetAfter',
  'truncated',
  'html502Before',
  'html502After',
  'json503',
  'stored500After',
  'inUse',
  'rateLimited',
];

const random = generator(SEED);
const chance = (share: number) => random() < share;
const oneOf = <T>(all: readonly T[]): T => all[Math.floor(random() * all.length)] as T;
const part = (amount: number, most: number) => Math.max(1, Math.floor(amount * most * random()));

let database: TestDatabase;
let pool: Pool;
let stripe: StripeApi;
let server: TestServer;
let isUp: Promise<void>;

const start = async () => {
  const env = { DATABASE_URL: database.url, STRIPE_SECRET_KEY: STRIPE_KEY, STRIPE_API_BASE: stripe.url };
  server = await startServer({ env: { ...SECRET_VARIABLES, IDEMPOTENCY_LOCK_MS: '500', ...env } });
};

beforeAll(async () => {
  process.stderr.write(`The seed of this storm of payments is ${SEED}\n`);
  database = await createTestDatabase();
  pool = new Pool({ connectionString: database.url, max: 2 });
  stripe = await StripeApi.start(STRIPE_KEY);
  isUp = start();
  await isUp;
});

afterAll(async () => {
  await server?.kill('SIGKILL');
  await stripe?.stop();
  await pool?.end();
  await database?.drop();
});

const client = () => new PaymentsClient(server);

/** Sends it again under its key until it has an answer: the server may die, or hold the key for somebody who has died. */
function persist(path: string, body: object): Promise<Answer> {
  const key = randomUUID();
  return waitFor(
    async () => {
      await isUp;
      const answer = await client().post(path, body, { key });
      const isBusy = ['IDEMPOTENCY_KEY_IN_USE', 'PAYMENT_BUSY'].includes(String(answer.body['code']));
      return answer.status < 500 && !isBusy ? answer : undefined;
    },
    { timeout: 60_000, interval: 100, what: `an answer to ${path}` },
  );
}

async function kill(): Promise<void> {
  const [dead] = [server];
  isUp = dead.kill('SIGKILL').then(start);
  await isUp;
}

/** The webhooks about a PaymentIntent, in any order: some twice, some never. */
async function tell(intent: string): Promise<void> {
  const events: object[] = stripe.state
    .eventsOf(intent)
    .flatMap((event): object[] => (chance(0.25) ? [] : chance(0.3) ? [event, event] : [event]));
  for (const event of events.toSorted(() => random() - 0.5)) {
    await isUp;
    // One that meets a server which is being killed is lost.
    await new WebhookSender(server.url).stripe(event).catch(() => undefined);
  }
}

function maybeFail(call: StripeCall, matches: Parameters<StripeApi['failNext']>[2]): void {
  if (chance(0.4)) stripe.failNext(call, oneOf(FAULTS), matches);
}

/** One payment's life. What the API refuses on the way is part of it. */
async function live(number: number): Promise<void> {
  const description = randomUUID();
  const amount = 100 + Math.floor(random() * 900);
  const isManual = chance(0.2);
  const card = oneOf(['pm_card_visa', 'pm_card_visa', 'pm_card_visa', 'pm_card_chargeDeclined', undefined]);
  maybeFail('create', (params) => params['description'] === description);
  const { body } = await persist('payments', {
    userId: `user-${number % USERS}`,
    amount,
    currency: 'USD',
    provider: 'stripe',
    description,
    ...(isManual && { capture: 'manual' }),
    ...(card !== undefined && { providerPaymentMethod: card }),
  });
  const path = `payments/${String(body['id'])}`;
  expect(body).toMatchObject({ id: expect.any(String) });
  const intent = await waitFor(async () => stripe.intentsOf(body['id'])[0] ?? (await isOver(body['id'])), {
    timeout: 60_000,
    interval: 200,
    what: 'a PaymentIntent, or none for good',
  });
  if (intent === 'over') return;
  if (card === undefined && chance(0.8)) stripe.state.pay(intent.id);
  await tell(intent.id);
  if (isManual) {
    maybeFail('capture', (_, id) => id === intent.id);
    if (chance(0.3)) await persist(`${path}/cancel`, {});
    else await persist(`${path}/capture`, { amount: part(amount, 1) });
    await tell(intent.id);
  }
  if (chance(0.4)) {
    maybeFail('refund', (params) => params['payment_intent'] === intent.id);
    await persist(`${path}/refunds`, { amount: part(amount, 0.3) });
  }
  happenAtStripe(intent.id);
  await tell(intent.id);
}

/** Nothing was made, and nothing will be. */
async function isOver(id: unknown): Promise<'over' | undefined> {
  await isUp;
  const payment = await client().find(id);
  if (payment['status'] === 'failed') return 'over';
  throw new Error(`There is none yet: ${JSON.stringify(payment)}`);
}

/** What customers, their banks and the dashboard do, none of it asked for by us. */
function happenAtStripe(id: string): void {
  const intent = stripe.state.intent(id);
  if (intent.status !== 'succeeded') return;
  const received = intent.amount_received;
  if (received < 10) return;
  if (chance(0.2)) stripe.state.refundInDashboard(id, part(received, 0.2));
  if (chance(0.2)) {
    const dispute = stripe.state.dispute(id, { amount: part(received, 0.4) });
    stripe.state.moveFunds(dispute, -dispute.amount);
    if (chance(0.5)) {
      stripe.state.moveDispute(dispute, 'won');
      stripe.state.moveFunds(dispute, dispute.amount);
    }
  }
  for (const refund of stripe.state.refunds.values()) {
    const isOurs = refund.payment_intent === id && refund.status === 'succeeded' && refund.balance_transaction !== null;
    if (isOurs && chance(0.2)) stripe.state.failRefund(refund.id);
  }
}

async function count(sql: string): Promise<number> {
  const { rows } = await pool.query<{ count: string }>(`SELECT count(*) FROM ${sql}`);
  return Number(rows[0]?.count);
}

/** As if calls of unknown outcome had been an hour ago: Stripe is asked at once, and believed, and not after a minute. */
async function hurry(): Promise<void> {
  await pool.query(
    `WITH aged AS (
       UPDATE provider_operations SET created_at = created_at - interval '1 hour'
       WHERE outcome = 'unknown' AND created_at > clock_timestamp() - interval '1 hour'
       RETURNING payment
     )
     UPDATE payments SET next_check_at = clock_timestamp() WHERE id IN (SELECT payment FROM aged)`,
  );
}

async function untilKnown(): Promise<void> {
  await waitFor(
    async () => {
      await hurry();
      await pool.query(
        `UPDATE payments SET next_check_at = clock_timestamp() WHERE next_check_at > clock_timestamp() + interval '1 second'`,
      );
      const open = [
        await count(`provider_operations WHERE outcome IN ('pending', 'unknown')`),
        await count(`webhook_events WHERE status NOT IN ('PROCESSED', 'IGNORED')`),
        await count('payments WHERE rings > 0'),
      ];
      if (open.some((number) => number > 0)) throw new Error(`Still open: ${open.join(', ')}`);
      return true;
    },
    { timeout: 90_000, interval: 500, what: 'everything to be known' },
  );
}

const sum = (all: readonly number[]) => all.reduce((total, each) => total + each, 0);

/** What Stripe has of a payment, by its own books. */
function atStripe(payment: Shown) {
  const [intent, ...others] = stripe.intentsOf(payment['id']);
  expect(others).toEqual([]);
  const refunds = [...stripe.state.refunds.values()].filter(
    (each) => each.payment_intent === intent?.id && each.status === 'succeeded' && each.balance_transaction !== null,
  );
  const disputes = stripe.state.disputesOf(intent?.id).flatMap((each) => each.balance_transactions);
  return {
    status: intent?.status ?? 'none',
    captured: intent?.amount_received ?? 0,
    refunded: intent === undefined ? 0 : sum(refunds.map(({ amount }) => amount)),
    disputed: intent === undefined ? 0 : 0 - sum(disputes.map(({ amount }) => amount)),
  };
}

/** Which of our statuses say what Stripe's says. */
const MEANING: Readonly<Record<string, readonly string[]>> = {
  none: ['failed'],
  requires_payment_method: ['failed', 'requires_action'],
  requires_action: ['requires_action'],
  requires_capture: ['requires_capture'],
  succeeded: ['succeeded'],
  canceled: ['canceled'],
};

describe('a hundred payments beside faults of Stripe, killed servers and lost webhooks', () => {
  beforeAll(async () => {
    const next = { number: 0 };
    const work = async () => {
      while (next.number < PAYMENTS) await live(next.number++);
    };
    const killer = (async () => {
      for (const after of KILLED_AFTER) {
        await waitFor(() => next.number >= after, { timeout: 100_000 });
        await kill();
      }
    })();
    const impatience = setInterval(() => void hurry().catch(() => undefined), 500);
    await Promise.all([killer, ...Array.from({ length: AT_ONCE }, work)]).finally(() => clearInterval(impatience));
    await untilKnown();
    await new ReconciliationClient(server).run('stripe');
    await untilKnown();
  }, 240_000);

  it('end in their true state, each made once', async () => {
    const { body } = await client().get('payments/reviews');
    expect({ seed: SEED, reviews: body['data'] }).toEqual({ seed: SEED, reviews: [] });
    const { rows } = await pool.query<{ id: string }>('SELECT id FROM payments');
    expect(rows).toHaveLength(PAYMENTS);
    for (const { id } of rows) {
      const payment = await client().find(id);
      const { status, captured, refunded, disputed } = atStripe(payment);
      expect({ seed: SEED, id, status: payment['status'], at: status }).toEqual({
        seed: SEED,
        id,
        status: (MEANING[status] ?? []).find((each) => each === payment['status']),
        at: status,
      });
      expect({ seed: SEED, ...payment }).toMatchObject({
        capturedAmount: captured,
        refundedAmount: refunded,
        disputedAmount: disputed,
        review: null,
      });
    }
  });

  it('leave in each wallet what was captured and has not gone back, but for what is owed', async () => {
    const { rows } = await pool.query<{ id: string; userId: string }>('SELECT id, user_id AS "userId" FROM payments');
    for (let number = 0; number < USERS; number++) {
      const userId = `user-${number}`;
      const own = rows.filter((row) => row.userId === userId).map(({ id }) => atStripe({ id }));
      const { body } = await client().get(`wallet/balance?userId=${userId}&currency=USD`);
      const kept = sum(own.map(({ captured, refunded, disputed }) => captured - refunded - disputed));
      expect({ seed: SEED, userId, kept: Number(body['balance']) - Number(body['debt']) }).toEqual({
        seed: SEED,
        userId,
        kept,
      });
    }
  });

  it('leave the books right: clearing says what Stripe holds, and nothing is in suspense', async () => {
    const { rows } = await pool.query<{ owner: string; balance: string }>(
      `SELECT owner, balance FROM ledger_accounts WHERE kind = 'system' AND currency = 'USD' AND balance <> 0`,
    );
    expect(rows.map(({ owner, balance }) => ({ owner, balance: Number(balance) }))).toEqual([
      { owner: 'clearing:stripe:test', balance: -stripe.state.balanceIn('usd') },
    ]);
    await new WalletClient(server).expectIntegrity();
  });

  it('leave nothing for a second reconciliation', async () => {
    const again = await new ReconciliationClient(server).run('stripe');
    expect({ seed: SEED, open: countsOf(again)['open'] ?? 0, differences: again['differences'] }).toEqual({
      seed: SEED,
      open: 0,
      differences: [],
    });
  });
});

/** Mulberry32: small, and the same everywhere. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

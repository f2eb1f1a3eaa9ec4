import { DataSource } from 'typeorm';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { CreateExamplePayments1795300000000 } from '../../examples/create-example-payments.migration.js';
import { ExampleModule } from '../../examples/example.module.js';
import { loadConfig } from '../../src/config/index.js';
import { webhookProvider } from '../../src/modules/webhooks/index.js';
import { JsonLogger } from '../../src/platform/logging/index.js';
import { type RunningServer, startServer } from '../../src/start-server.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { RATE_LIMITS_OFF } from '../support/rate-limits-off.js';
import { makeTempFolder, removeTempFolder } from '../support/temp-folder.js';
import { waitFor } from '../support/wait-for.js';

const SECRET = 'whsec_example_handler_secret';
const ADMIN_KEY = `hf_test_${'e'.repeat(40)}`;

interface PaymentRow {
  payment_intent: string;
  event: string;
  amount: string;
  currency: string;
}

let database: TestDatabase;
let dataSource: DataSource;
let dataDir: string;
let server: RunningServer;

beforeAll(async () => {
  database = await createTestDatabase();
  dataDir = makeTempFolder('example-handler');
  dataSource = new DataSource({
    type: 'postgres',
    url: database.url,
    migrations: [CreateExamplePayments1795300000000],
    migrationsTableName: 'example_migrations',
  });
  await dataSource.initialize();
  await dataSource.runMigrations();
  const config = loadConfig({
    NODE_ENV: 'test',
    PORT: '0',
    DATABASE_URL: database.url,
    DATA_DIR: dataDir,
    ENCRYPTION_KEY: 'e'.repeat(64),
    BOOTSTRAP_API_KEY: ADMIN_KEY,
    ...RATE_LIMITS_OFF,
    STRIPE_WEBHOOK_SECRET: SECRET,
  });
  server = await startServer(config, new JsonLogger('silent'), [ExampleModule]);
});

afterAll(async () => {
  await server?.stop();
  await dataSource?.destroy();
  await database?.drop();
  removeTempFolder(dataDir);
});

/** A signed `payment_intent.succeeded`, its payment intent `pi_<name>`. @param amount as it stands in the JSON */
function paymentEvent(name: string, amount: string): Buffer {
  return Buffer.from(
    `{"id":"evt_${name}","object":"event","type":"payment_intent.succeeded","created":1700000000,` +
      `"data":{"object":{"id":"pi_${name}","object":"payment_intent","amount_received":${amount},"currency":"usd"}}}`,
  );
}

async function send(body: Buffer): Promise<{ status: string; id: string; eventId: string }> {
  const timestamp = Math.floor(Date.now() / 1000);
  const outgoing = { body, eventId: '', eventType: '', timestamp };
  const headers = { 'content-type': 'application/json', ...webhookProvider('stripe').sign(outgoing, SECRET) };
  const response = await fetch(`${server.url}/webhooks/stripe`, { method: 'POST', headers, body });
  expect(response.status).toBe(200);
  return (await response.json()) as { status: string; id: string; eventId: string };
}

function call(path: string, method = 'GET'): Promise<Response> {
  return fetch(server.url + path, { method, headers: { 'x-api-key': ADMIN_KEY } });
}

async function eventOnce(id: string, status: string, attempts = 1) {
  return waitFor(
    async () => {
      const event = (await (await call(`/api/webhook-events/${id}`)).json()) as Record<string, unknown>;
      return event['status'] === status && event['attempts'] === attempts ? event : undefined;
    },
    { what: `event ${id} to be ${status} after ${attempts} attempts` },
  );
}

function rowsOf(name: string): Promise<PaymentRow[]> {
  return dataSource.query<PaymentRow[]>('SELECT * FROM example_payments WHERE payment_intent = $1', [`pi_${name}`]);
}

describe('the example handler', () => {
  it('writes one row for a payment, and none for its duplicate', async () => {
    const body = paymentEvent('once', '2000');
    const { id, status } = await send(body);
    expect(status).toBe('accepted');
    await eventOnce(id, 'PROCESSED');
    expect(await send(body)).toMatchObject({ status: 'already_processed', id });
    expect(await rowsOf('once')).toMatchObject([{ event: id, amount: '2000', currency: 'usd' }]);
    await eventOnce(id, 'PROCESSED', 1);
  });

  it('keeps an amount exact that a double would round', async () => {
    const { id } = await send(paymentEvent('exact', '9007199254740993'));
    await eventOnce(id, 'PROCESSED');
    expect(await rowsOf('exact')).toMatchObject([{ amount: '9007199254740993' }]);
  });

  it('does no harm when an operator replays its event', async () => {
    const { id } = await send(paymentEvent('replayed', '500'));
    await eventOnce(id, 'PROCESSED');
    expect((await call(`/api/webhook-events/${id}/replay`, 'POST')).status).toBe(202);
    await eventOnce(id, 'PROCESSED', 2);
    expect(await rowsOf('replayed')).toHaveLength(1);
  });

  it.each([
    ['negative', '-1'],
    ['nothing', '0'],
    ['fraction', '12.5'],
    ['text', '"2000"'],
    ['overflow', '9223372036854775808'],
    ['missing', 'null'],
  ])('makes a dead letter at once, and no row, of an impossible amount: %s', async (name, amount) => {
    const { id } = await send(paymentEvent(name, amount));
    const event = await eventOnce(id, 'DEAD_LETTER');
    expect(event['error']).toBe(
      'PermanentWebhookError: data.object.amount_received is not a positive whole number of minor units',
    );
    expect(await rowsOf(name)).toEqual([]);
  });

  it('leaves other events of Stripe alone', async () => {
    const body = Buffer.from('{"id":"evt_other","type":"payment_intent.created","data":{"object":{"id":"pi_other"}}}');
    const { id } = await send(body);
    await eventOnce(id, 'IGNORED', 0);
    expect(await rowsOf('other')).toEqual([]);
  });
});

describe('the example migration', () => {
  it('can be taken back', async () => {
    const exists = async () => {
      const rows = await dataSource.query<{ name: string | null }[]>(`SELECT to_regclass('example_payments') AS name`);
      return rows[0]?.name !== null;
    };
    expect(await exists()).toBe(true);
    await dataSource.undoLastMigration();
    expect(await exists()).toBe(false);
  });
});

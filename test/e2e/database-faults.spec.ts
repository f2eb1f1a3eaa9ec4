import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { MIGRATIONS } from '../../migrations/index.js';
import { migrate } from '../../src/platform/database/index.js';
import { EffectCluster } from '../support/effect-cluster.js';
import { effectEvent, sendEvent } from '../support/effect-event.js';
import { call, expectProblem } from '../support/http-answer.js';
import { type PrivatePostgres, startPrivatePostgres } from '../support/postgres.js';
import { rawRequest } from '../support/raw-http.js';
import type { TestServer } from '../support/server.js';
import { SECRETS, signers } from '../support/signing.js';
import { TcpProxy } from '../support/tcp-proxy.js';
import { waitFor } from '../support/wait-for.js';
import { type StripeEvent, unixNow } from '../support/webhook-sender.js';

const POOL_SIZE = 4;
const POOL_TIMEOUT_MS = 500;

let postgres: PrivatePostgres;
let proxy: TcpProxy;
let cluster: EffectCluster;
let server: TestServer;
/** Its connections go through the proxy. */
let remote: TestServer;

beforeAll(async () => {
  postgres = await startPrivatePostgres();
  await migrate(postgres.url, { entities: [], migrations: MIGRATIONS });
  proxy = await TcpProxy.start(postgres.port);
  cluster = await EffectCluster.create(postgres.url);
  const lease = { WEBHOOK_LEASE_MS: '2400', WEBHOOK_PROCESSING_TIMEOUT_MS: '1500' };
  const proxied = new URL(postgres.url);
  proxied.port = String(proxy.port);
  [server, remote] = await Promise.all([cluster.start(lease), cluster.start({ ...lease, DATABASE_URL: proxied.href })]);
});

afterAll(async () => {
  await cluster?.end();
  await proxy?.stop();
  await postgres?.stop();
});

beforeEach(() => cluster.query('TRUNCATE webhook_events, webhook_attempts, effects CASCADE'));

/** Holds the table of events, so that every statement on it waits, until `work` is done. */
async function whileEventsAreLocked<T>(work: () => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: postgres.url });
  await client.connect();
  try {
    await client.query('BEGIN');
    await client.query('LOCK TABLE webhook_events IN ACCESS EXCLUSIVE MODE');
    return await work();
  } finally {
    await client.end();
  }
}

describe('a database that is down', () => {
  it('is answered 503 with Retry-After, and what is sent again later is taken in and processed', async () => {
    const event = effectEvent('test.effect');
    await postgres.shutDown();
    const refused = await sendEvent(server.url, event);
    expectProblem(refused, 503, 'DATABASE_UNAVAILABLE');
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expectProblem(await call(server, 'GET', '/api/webhook-events'), 503, 'DATABASE_UNAVAILABLE');
    expect((await server.fetch('/health/live')).status).toBe(200);
    expect(await call(server, 'GET', '/health/ready')).toMatchObject({
      status: 503,
      body: { status: 'unavailable', checks: { database: 'down' } },
    });
    expect((await server.fetch('/metrics')).status).toBe(200);

    await postgres.restart();
    await waitFor(async () => (await server.fetch('/health/ready')).status === 200);
    expect((await cluster.accept(server, event)).body).toMatchObject({ status: 'accepted' });
    await cluster.untilStatus(event, 'PROCESSED');
    expect(await cluster.effects(event.id)).toHaveLength(1);
    expect(server.hasExited).toBe(false);
  });
});

describe('a connection that breaks after the COMMIT and before its answer', () => {
  it('is answered 503; the retry of the sender is a duplicate, and the effect happens once', async () => {
    const event = effectEvent('test.effect');
    await waitFor(async () => (await remote.fetch('/health/ready')).status === 200);
    await Promise.all(Array.from({ length: 6 }, () => remote.fetch('/api/webhook-events')));
    proxy.hold();
    const answer = sendEvent(remote.url, event);
    try {
      await waitFor(() => cluster.event(event.id));
    } finally {
      proxy.cut();
      proxy.release();
    }
    expectProblem(await answer, 503, 'DATABASE_UNAVAILABLE');
    expect((await cluster.accept(remote, event)).body).toMatchObject({ status: 'already_processed' });
    await cluster.untilStatus(event, 'PROCESSED');
    expect(await cluster.effects(event.id)).toHaveLength(1);
  });
});

describe('kill -9 of PostgreSQL under load', () => {
  it('loses no event that was answered 2xx, repeats no effect, and leaves nothing stuck', async () => {
    const events = Array.from({ length: 300 }, () => effectEvent('test.effect', { ms: 5 }));
    const accepted = new Map<string, unknown>();
    const statuses = new Map<number, number>();
    const problems = new Set<unknown>();

    const sendUntilAccepted = async (event: StripeEvent, to: number) => {
      for (let tries = 0; tries < 1000; tries++) {
        const { status, body } = await sendEvent([server, remote][(to + tries) % 2]!.url, event);
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
        if (status === 200) {
          accepted.set(event.id, body['id']);
          return;
        }
        problems.add(body['code']);
        await sleep(25);
      }
      throw new Error(`${event.id} was never accepted`);
    };
    const queue = [...events];
    const senders = Array.from({ length: 12 }, async (_, to) => {
      for (let event = queue.shift(); event; event = queue.shift()) await sendUntilAccepted(event, to);
    });

    await waitFor(() => accepted.size >= 60);
    await postgres.kill9();
    await waitFor(() => (statuses.get(503) ?? 0) >= 12);
    await postgres.restart();
    await Promise.all(senders);

    expect(Object.fromEntries(statuses)).toEqual({ 200: 300, 503: statuses.get(503) });
    expect([...problems]).toEqual(['DATABASE_UNAVAILABLE']);
    await cluster.untilAll('PROCESSED', 30_000);
    const stored = await cluster.query<{ id: string; event_id: string }>('SELECT id, event_id FROM webhook_events');
    expect(new Map(stored.map(({ id, event_id }) => [event_id, id]))).toEqual(accepted);
    expect(await cluster.wrongEffects()).toEqual([]);
    for (const each of [server, remote]) {
      expect((await call(each, 'GET', '/api/audit/verify')).body).toMatchObject({ ok: true, firstBadLine: null });
    }
  });
});

describe('a pool whose connections are all taken', () => {
  it('is answered 503 once the time for waiting is up, instead of hanging', async () => {
    const small = await cluster.start({
      DB_POOL_SIZE: String(POOL_SIZE),
      DB_POOL_TIMEOUT_MS: String(POOL_TIMEOUT_MS),
      ROLE: 'api',
    });
    const requests = POOL_SIZE * 4;
    const refused: number[] = [];
    let answers: Promise<number[]> | undefined;
    await whileEventsAreLocked(async () => {
      const start = performance.now();
      const get = async () => {
        const answer = await call(small, 'GET', '/api/webhook-events');
        if (answer.status !== 200) {
          expectProblem(answer, 503, 'DATABASE_UNAVAILABLE');
          refused.push(performance.now() - start);
        }
        return answer.status;
      };
      answers = Promise.all(Array.from({ length: requests }, get));
      await waitFor(() => refused.length >= requests - POOL_SIZE);
    });
    expect((await answers)?.filter((status) => status === 200).length).toBeLessThanOrEqual(POOL_SIZE);
    expect(Math.min(...refused)).toBeGreaterThanOrEqual(POOL_TIMEOUT_MS - 5);
    expect(Math.max(...refused)).toBeLessThan(POOL_TIMEOUT_MS + 2000);
    await waitFor(async () => (await call(small, 'GET', '/api/webhook-events')).status === 200);
  });
});

describe('more webhooks than the database takes', () => {
  /** 500 in each of two batches under way, 10,000 behind them; see `IngestService`. */
  const room = 11_000;
  /** A connection may have 64 requests unanswered. */
  const sockets = 230;
  const perSocket = 50;

  it('fill a bounded queue: the next is answered 503 OVERLOADED at once, and all that had room are stored', async () => {
    let answered = '';
    const pipelines = Array.from({ length: sockets }, () => {
      const socket = connect(Number(new URL(server.url).port), '127.0.0.1');
      socket.on('data', (data) => (answered += data.toString('latin1')));
      return socket;
    });
    const countOf = (status: number) => answered.split(`HTTP/1.1 ${status} `).length - 1;
    try {
      await Promise.all(pipelines.map((socket) => once(socket, 'connect')));
      await whileEventsAreLocked(async () => {
        for (const socket of pipelines) socket.write(Buffer.concat(Array.from({ length: perSocket }, pipelined)));
        const overloaded = await waitFor(
          async () => {
            const answer = await Promise.race([sendEvent(server.url, effectEvent('test.unheard')), sleep(500)]);
            return answer?.status === 503 ? answer : undefined;
          },
          { timeout: 60_000 },
        );
        expectProblem(overloaded, 503, 'OVERLOADED');
        expect(Number(overloaded.headers.get('retry-after'))).toBeGreaterThan(0);
      });
      await waitFor(() => countOf(200) + countOf(503) === sockets * perSocket, { timeout: 60_000 });
    } finally {
      for (const socket of pipelines) socket.destroy();
    }
    expect(countOf(503)).toBeGreaterThan(0);
    expect(countOf(200)).toBeLessThanOrEqual(room);
    const [row] = await cluster.query<{ count: number }>('SELECT count(*)::integer AS count FROM webhook_events');
    expect(row?.count).toBeGreaterThanOrEqual(countOf(200));
  });

  function pipelined(): Buffer {
    const body = Buffer.from(JSON.stringify(effectEvent('test.unheard')));
    const signature = signers.stripe(body, { secret: SECRETS.stripe, timestamp: unixNow(), id: '', type: '' });
    const headers = { ...signature, 'Content-Type': 'application/json', 'Content-Length': String(body.length) };
    return rawRequest('POST /webhooks/stripe', Object.entries(headers), body);
  }
});

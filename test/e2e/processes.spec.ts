import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { EffectCluster } from '../support/effect-cluster.js';
import { effectEvent, sendEvent } from '../support/effect-event.js';
import { call } from '../support/http-answer.js';
import { isRunning } from '../support/process-status.js';
import { Scrape } from '../support/metrics.js';
import { TestServer } from '../support/server.js';
import { waitFor } from '../support/wait-for.js';
import type { StripeEvent } from '../support/webhook-sender.js';

const PATH = '/api/webhook-sources';
const LIMIT = 20;

let cluster: EffectCluster;
/** Two processes behind one address. */
let server: TestServer;

beforeAll(async () => {
  cluster = await EffectCluster.create();
  server = await start();
});

afterAll(() => cluster?.end());

beforeEach(() => cluster.query('TRUNCATE webhook_events, webhook_attempts, effects CASCADE'));

function start(env: Record<string, string> = {}): Promise<TestServer> {
  // What a killed process had in hand is taken over when its lease ends.
  const lease = { WEBHOOK_LEASE_MS: '3000', WEBHOOK_PROCESSING_TIMEOUT_MS: '2000' };
  return cluster.start({ PROCESSES: '2', RATE_LIMIT_PER_MINUTE: String(LIMIT), ...lease, ...env });
}

/** Of the processes that have ever answered requests, in the order in which they came up. */
function servingPids(of: TestServer): number[] {
  return of.logs().flatMap(({ msg, pid }) => (msg === 'serving' ? [Number(pid)] : []));
}

async function fetchOverNewConnection(url: string): Promise<void> {
  const [response] = (await once(get(url, { agent: false }), 'response')) as [IncomingMessage];
  await text(response);
}

/** Sends all events over many connections; one whose connection breaks is sent again, as providers do. */
async function deliver(to: TestServer, events: readonly StripeEvent[]): Promise<void> {
  const queue = [...events];
  const senders = Array.from({ length: 16 }, async () => {
    for (let event = queue.shift(); event; event = queue.shift()) {
      const answer = await sendEvent(to.url, event).catch(() => undefined);
      if (answer?.status !== 200) queue.push(event);
    }
  });
  await Promise.all(senders);
}

async function expectOnceEach(events: readonly StripeEvent[]): Promise<void> {
  await cluster.untilAll('PROCESSED');
  const stored = await cluster.query<{ event_id: string }>('SELECT event_id FROM webhook_events');
  expect(stored.map(({ event_id }) => event_id).sort()).toEqual(events.map(({ id }) => id).sort());
  expect(await cluster.wrongEffects()).toEqual([]);
}

describe('PROCESSES=2', () => {
  it('serves one port from two processes, and says so once', async () => {
    expect(servingPids(server)).toHaveLength(2);
    expect(servingPids(server)).not.toContain(server.pid);
    const ready = server.logs().filter(({ msg }) => msg === 'ready');
    expect(ready).toEqual([expect.objectContaining({ pid: server.pid, processes: 2, url: server.url })]);

    // Which of them accepts a connection is up to the system: it may be the same one many times.
    await waitFor(async () => {
      await Promise.all(Array.from({ length: 16 }, () => fetchOverNewConnection(server.url + PATH)));
      const answered = server.logs().flatMap(({ path, pid }) => (path === PATH ? [Number(pid)] : []));
      return new Set(answered).size === 2;
    });
  });

  it('takes the same event sent fifty times at once as one', async () => {
    const event = effectEvent('test.effect');
    const answers = await Promise.all(Array.from({ length: 50 }, () => sendEvent(server.url, event)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(answers.filter(({ body }) => body['status'] === 'accepted')).toHaveLength(1);
    await expectOnceEach([event]);
  });

  it('counts limits over both exactly', async () => {
    const { body } = await call(server, 'POST', '/api/api-keys', { name: 'limited', scopes: ['webhooks:read'] });
    const key = String(body['key']);
    const send = () => call(server, 'GET', PATH, undefined, key);
    const answers = await Promise.all(Array.from({ length: 3 * LIMIT }, send));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(LIMIT);
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(2 * LIMIT);
    const last = await send();
    expect(last.headers.get('ratelimit')).toContain('r=0');
    expect(Number(last.headers.get('retry-after'))).toBeGreaterThan(0);
  });

  it('answers a scrape for both: counters add up, what both read from the database does not', async () => {
    await cluster.query(
      `INSERT INTO webhook_events (
         id, source, provider, idempotency_key, event_id, event_type, status, raw_body, metadata, payload_hash, next_attempt_at
       ) VALUES (
         gen_random_uuid(), 'stripe', 'stripe', 'late_x', 'late', 'x', 'PENDING', '', '{}', '', now() + interval '1 day'
       )`,
    );
    const stored = async () => {
      const scrape = await Scrape.of(server);
      return scrape.value('holdfast_webhook_events_received_total', { source: 'stripe', result: 'stored' }) ?? 0;
    };
    const before = await stored();
    const events = Array.from({ length: 40 }, () => effectEvent('test.effect'));
    await deliver(server, events);
    expect(await stored()).toBe(before + 40);
    await waitFor(async () => (await cluster.effects()).length === 40);
    const scrape = await Scrape.of(server);
    expect(scrape.value('holdfast_webhook_queue_depth', { state: 'waiting' })).toBe(1);
  });

  it('goes on taking connections while its supervisor stands still', async () => {
    process.kill(server.pid, 'SIGSTOP');
    try {
      await fetchOverNewConnection(`${server.url}/health/live`);
    } finally {
      process.kill(server.pid, 'SIGCONT');
    }
  });

  it('replaces one that is killed under load and loses nothing; killed itself, it takes all with it', async () => {
    const own = await start();
    const [victim, other] = servingPids(own);
    if (victim === undefined || other === undefined) throw new Error('Two processes serve');
    const events = Array.from({ length: 200 }, () => effectEvent('test.effect', { ms: 2 }));
    const delivered = deliver(own, events);
    await waitFor(async () => (await cluster.effects()).length >= 40);
    process.kill(victim, 'SIGKILL');
    await delivered;
    await expectOnceEach(events);
    expect(own.logs()).toContainEqual(
      expect.objectContaining({ msg: 'A process ended and is replaced', pid: own.pid, child: victim }),
    );
    await waitFor(() => servingPids(own).length === 3);
    const [, , replacement = 0] = servingPids(own);
    expect([victim, other, replacement].map(isRunning)).toEqual([false, true, true]);

    await own.kill('SIGKILL');
    await waitFor(() => ![other, replacement].some(isRunning));
  });

  it('that cannot start says why in one line', async () => {
    const PORT = new URL(server.url).port;
    const env = { DATABASE_URL: cluster.databaseUrl, PROCESSES: '2', PORT };
    const failing = TestServer.launch({ env });
    expect(await failing.exitCode()).toBe(1);
    const said = failing
      .output()
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('{'));
    expect(said).toEqual([expect.stringMatching(/^Port \d+ on 127\.0\.0\.1 is taken\./)]);
  });

  // The last one: it ends the server.
  it('ends all of them after what is in flight, with exit code 0', async () => {
    const event = effectEvent('test.effect', { ms: 500 });
    await cluster.accept(server, event);
    expect(await server.stop()).toBe(0);
    expect(servingPids(server).some(isRunning)).toBe(false);
    expect(server.logs().at(-1)).toMatchObject({ msg: 'stopped', pid: server.pid });
    await expectOnceEach([event]);
  });
});

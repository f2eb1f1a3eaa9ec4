import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { EffectCluster } from '../support/effect-cluster.js';
import { effectEvent, sendEvent } from '../support/effect-event.js';
import { freePort } from '../support/free-port.js';
import { call } from '../support/http-answer.js';
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
  server = await start({ PORT: String(await freePort()) });
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

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

async function untilGone(pids: readonly number[]): Promise<void> {
  await waitFor(() => !pids.some(isRunning), { what: `${pids.join(', ')} to be gone` });
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

    await Promise.all(Array.from({ length: 16 }, () => server.fetch(PATH)));
    const answered = server.logs().flatMap(({ path, pid }) => (path === PATH ? [Number(pid)] : []));
    expect(new Set(answered)).toEqual(new Set(servingPids(server)));
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
      `INSERT INTO webhook_events (id, source, provider, idempotency_key, event_id, event_type, status, raw_body, metadata, payload_hash)
       VALUES (gen_random_uuid(), 'stripe', 'stripe', 'dead_x', 'dead', 'x', 'DEAD_LETTER', '', '{}', '')`,
    );
    const stored = { source: 'stripe', result: 'stored' };
    const before = await Scrape.of(server);
    await deliver(
      server,
      Array.from({ length: 40 }, () => effectEvent('test.effect')),
    );
    const after = await Scrape.of(server);
    const of = (scrape: Scrape) => scrape.value('holdfast_webhook_events_received_total', stored) ?? 0;
    expect(of(after) - of(before)).toBe(40);
    expect(after.value('holdfast_db_pool_connections', { state: 'total' })).toBeGreaterThanOrEqual(2);
  });

  it('goes on when one is killed under load, loses nothing, and replaces it', async () => {
    const [victim = 0] = servingPids(server);
    const events = Array.from({ length: 400 }, () => effectEvent('test.effect', { ms: 2 }));
    const delivered = deliver(server, events);
    await waitFor(async () => (await cluster.effects()).length >= 40);
    process.kill(victim, 'SIGKILL');
    await delivered;
    await expectOnceEach(events);
    const log = server.logs().find(({ msg }) => msg === 'A process ended and is replaced');
    expect(log).toMatchObject({ level: 'error', pid: server.pid, child: victim, signal: 'SIGKILL' });
    await waitFor(() => servingPids(server).length === 3);
    expect(servingPids(server).filter(isRunning)).toHaveLength(2);
  });
});

describe('SIGTERM', () => {
  it('ends all of them after what is in flight, with exit code 0', async () => {
    const own = await start();
    const event = effectEvent('test.effect', { ms: 500 });
    await cluster.accept(own, event);
    const pids = servingPids(own);
    expect(await own.stop()).toBe(0);
    expect(pids.some(isRunning)).toBe(false);
    expect(own.logs().at(-1)).toMatchObject({ msg: 'stopped', pid: own.pid });
    expect(own.logs().filter(({ level }) => level === 'error')).toEqual([]);
    await expectOnceEach([event]);
  });
});

describe('several processes that cannot start', () => {
  it.each([
    ['a taken port', () => ({ PORT: new URL(server.url).port }), /^Port \d+ on 127\.0\.0\.1 is taken\..*\n$/],
    ['no number', () => ({ PROCESSES: 'many' }), /PROCESSES: must be "auto" or a whole number from 1 to 64\n$/],
    ['too many', () => ({ PROCESSES: '65' }), /PROCESSES: must be "auto" or a whole number from 1 to 64\n$/],
  ])('say why in one line: %s', async (_, env, line) => {
    const failing = TestServer.launch({ env: { DATABASE_URL: cluster.databaseUrl, PROCESSES: '2', ...env() } });
    expect(await failing.exitCode()).toBe(1);
    const said = failing
      .output()
      .split('\n')
      .filter((each) => !each.startsWith('{'));
    expect(said.join('\n')).toMatch(line);
    expect(said.filter((each) => each !== '')).toHaveLength(1);
  });
});

describe('when the process that started the others is killed', () => {
  it('they end too, and the next start has the port', async () => {
    const pids = servingPids(server);
    await server.kill('SIGKILL');
    await untilGone(pids);
    const next = await start({ PORT: new URL(server.url).port, PROCESSES: '1' });
    expect(next.url).toBe(server.url);
    expect(await next.stop()).toBe(0);
  });
});

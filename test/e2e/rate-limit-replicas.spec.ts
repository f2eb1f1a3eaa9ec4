import { Redis } from 'ioredis';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { call } from '../support/http-answer.js';
import { Scrape } from '../support/metrics.js';
import { TestRedis } from '../support/redis.js';
import { startServer, type TestServer } from '../support/server.js';
import { TcpProxy } from '../support/tcp-proxy.js';
import { waitFor } from '../support/wait-for.js';

const PATH = '/api/webhook-sources';
const PER_SECOND = 20;
const LIMITS = { RATE_LIMIT_PER_SECOND: String(PER_SECOND) };
/** Longer than an undisturbed request takes even on a busy machine, shorter than waiting for Redis in vain. */
const SLOW_MS = 200;

let database: TestDatabase;
let redis: TestRedis;
let proxy: TcpProxy;
const started: TestServer[] = [];

beforeAll(async () => {
  [database, redis] = await Promise.all([createTestDatabase(), TestRedis.start()]);
  proxy = await TcpProxy.start(redis.port);
});

afterAll(async () => {
  for (const server of started) expect(await server.stop()).toBe(0);
  await proxy?.stop();
  await redis?.stop();
  await database?.drop();
});

async function pair(env: Record<string, string>): Promise<TestServer[]> {
  const all = { DATABASE_URL: database.url, DB_POOL_SIZE: '8', ...LIMITS, ...env };
  const servers = await Promise.all([startServer({ env: all }), startServer({ env: { ...all, ROLE: 'api' } })]);
  started.push(...servers);
  return servers;
}

/** A key of its own for each test, whose maker is not limited. */
async function newKey(server: TestServer): Promise<{ id: string; key: string }> {
  const { status, body } = await call(server, 'POST', '/api/api-keys', { name: 'limited', scopes: ['webhooks:read'] });
  expect(status).toBe(201);
  return { id: String(body['id']), key: String(body['key']) };
}

/** A request was decided some time between `start` and `end`, in milliseconds of our own clock. */
interface Sent {
  status: number;
  start: number;
  end: number;
}

async function send(server: TestServer, key: string): Promise<Sent> {
  const start = performance.now();
  const { status } = await call(server, 'GET', PATH, undefined, key);
  return { status, start, end: performance.now() };
}

/** Sends over both servers, `lanes` requests at a time, for as long as told. */
async function load(servers: readonly TestServer[], key: string, milliseconds: number, lanes = 8): Promise<Sent[]> {
  const end = performance.now() + milliseconds;
  const sent: Sent[] = [];
  await Promise.all(
    Array.from({ length: lanes }, async (_, lane) => {
      while (performance.now() < end) sent.push(await send(servers[lane % servers.length]!, key));
    }),
  );
  return sent;
}

const passed = (sent: readonly Sent[]) => sent.filter(({ status }) => status === 200);
const ascending = (numbers: readonly number[]) => numbers.toSorted((one, other) => one - other);
const median = (sent: readonly Sent[]) => ascending(sent.map(({ start, end }) => end - start))[sent.length >> 1] ?? NaN;

/**
 * The share of decisions that an exact log of one second could have made as well, given that each was made between its
 * start and its end: of two that passed a whole limit apart the later is a second younger; and whoever was refused had the
 * limit's number of requests in the second before.
 */
function accuracy(sent: readonly Sent[], limit: number): number {
  const allowed = passed(sent);
  const starts = ascending(allowed.map(({ start }) => start));
  const ends = ascending(allowed.map(({ end }) => end));
  const tooMany = ends.filter((end, index) => index >= limit && end - (starts[index - limit] ?? 0) < 999);
  const tooFew = sent
    .filter(({ status }) => status === 429)
    .filter((refused) => {
      const before = allowed.filter(({ start, end }) => end > refused.start - 1001 && start < refused.end);
      return before.length < limit;
    });
  return 1 - (tooMany.length + tooFew.length) / sent.length;
}

async function degraded(servers: readonly TestServer[]): Promise<number> {
  const scrapes = await Promise.all(servers.map((server) => Scrape.of(server)));
  return scrapes.reduce((sum, scrape) => sum + (scrape.value('holdfast_rate_limit_degraded_total') ?? 0), 0);
}

/** Whether all of them decide together right now. */
async function share(servers: readonly TestServer[], key: string): Promise<boolean> {
  const before = await degraded(servers);
  await Promise.all(servers.map((server) => send(server, key)));
  return (await degraded(servers)) === before;
}

async function tellRedis(command: string, ...parameters: string[]): Promise<void> {
  const client = new Redis(redis.url);
  try {
    await client.call(command, ...parameters);
  } finally {
    client.disconnect();
  }
}

describe.each([
  ['Redis', () => ({ REDIS_URL: `redis://127.0.0.1:${proxy.port}` })],
  ['PostgreSQL', () => ({ RATE_LIMIT_STORE: 'postgres', REPLICAS: '2' })],
])('Two servers over one %s', (_name, env) => {
  let servers: TestServer[];
  beforeAll(async () => {
    servers = await pair(env());
  });

  it('let through exactly the limit of what comes at once', async () => {
    const { id, key } = await newKey(servers[0]!);
    const path = `/api/rate-limits/api-key:${id}/override`;
    for (const [rule, limit] of [
      ['perSecond', 0],
      ['perMinute', 30],
      ['perHour', 40],
    ] as const) {
      for (const server of servers) await call(server, 'PUT', path, { rule, limit });
    }
    const sent = await Promise.all(Array.from({ length: 90 }, (_, index) => send(servers[index % 2]!, key)));
    expect(passed(sent)).toHaveLength(30);
    // What the minute refused the hour has not counted.
    for (const server of servers) await call(server, 'PUT', path, { rule: 'perMinute', limit: 0 });
    const more = await Promise.all(Array.from({ length: 40 }, (_, index) => send(servers[index % 2]!, key)));
    expect(passed(more)).toHaveLength(10);
  });

  it('decide like an exact log at the edges of the second, of which there are many', async () => {
    const { key } = await newKey(servers[0]!);
    const sent = await load(servers, key, 4500);
    expect(passed(sent).length).toBeGreaterThan(3 * PER_SECOND);
    expect(accuracy(sent, PER_SECOND)).toBeGreaterThanOrEqual(0.98);
    expect(await degraded(servers)).toBe(0);
  });

  it('know an override of the other within a second', async () => {
    const { id, key } = await newKey(servers[0]!);
    const path = `/api/rate-limits/api-key:${id}/override`;
    expect((await call(servers[0]!, 'PUT', path, { rule: 'perSecond', limit: 2 })).status).toBe(200);
    const set = performance.now();
    await waitFor(
      async () => {
        const { headers } = await call(servers[1]!, 'GET', PATH, undefined, key);
        return headers.get('ratelimit-policy')?.startsWith('"perSecond";q=2;');
      },
      { interval: 20 },
    );
    expect(performance.now() - set).toBeLessThan(1000);
  });
});

describe('A Redis in trouble', () => {
  let servers: TestServer[];
  let key: string;
  beforeAll(async () => {
    servers = await pair({ REDIS_URL: `redis://127.0.0.1:${proxy.port}` });
  });
  beforeEach(async () => {
    ({ key } = await newKey(servers[0]!));
    await waitFor(() => share(servers, key));
    await sleep(1000);
  });

  const unanswered = (sent: readonly Sent[]) => sent.filter(({ status }) => status !== 200 && status !== 429);

  it('that is killed under load costs no request; each server counts for itself until it is back', async () => {
    const running = load(servers, key, 4000);
    await sleep(1000);
    await redis.kill();
    await sleep(1500);
    await redis.restart();
    const sent = await running;
    expect(unanswered(sent)).toEqual([]);
    expect(median(sent)).toBeLessThan(SLOW_MS);
    // Each server for itself keeps to the limit too; what it counted before and after is another count.
    expect(passed(sent).length).toBeGreaterThanOrEqual(PER_SECOND * 3);
    expect(passed(sent).length).toBeLessThanOrEqual(PER_SECOND * 10);
    expect(await degraded(servers)).toBeGreaterThan(0);
    await waitFor(() => share(servers, key));
    await sleep(1000);
    expect(accuracy(await load(servers, key, 2000), PER_SECOND)).toBeGreaterThanOrEqual(0.98);
  });

  it('that takes two seconds makes only those wait who were waiting when it began to', async () => {
    const before = await degraded(servers);
    const quiet = load(servers, key, 300);
    await quiet;
    proxy.hold();
    let sent: Sent[];
    try {
      sent = await load(servers, key, 2000, 4);
    } finally {
      proxy.release();
    }
    expect(unanswered(sent)).toEqual([]);
    expect(median(sent)).toBeLessThan(SLOW_MS);
    expect(sent.length).toBeGreaterThan(40);
    expect((await degraded(servers)) - before).toBeGreaterThan(sent.length / 2);
  });

  it('that is flushed starts to count anew and forgets no script', async () => {
    const before = await degraded(servers);
    for (const [command, ...parameters] of [['FLUSHALL'], ['SCRIPT', 'FLUSH']] as const) {
      const sent = await load(servers, key, 600);
      expect(unanswered(sent)).toEqual([]);
      expect(passed(sent).length).toBeGreaterThanOrEqual(PER_SECOND / 2);
      expect(accuracy(sent, PER_SECOND)).toBeGreaterThanOrEqual(0.98);
      await tellRedis(command, ...parameters);
    }
    expect(passed(await load(servers, key, 600)).length).toBeGreaterThan(0);
    expect(await degraded(servers)).toBe(before);
  });

  it('that may not write is as good as away: limits go on without it', async () => {
    await tellRedis('CONFIG', 'SET', 'maxmemory', '1');
    try {
      const before = await degraded(servers);
      const sent = await load(servers, key, 800, 4);
      expect(unanswered(sent)).toEqual([]);
      expect(passed(sent).length).toBeLessThanOrEqual(2 * 2 * PER_SECOND);
      expect(await degraded(servers)).toBeGreaterThan(before);
    } finally {
      await tellRedis('CONFIG', 'SET', 'maxmemory', '0');
    }
  });
});

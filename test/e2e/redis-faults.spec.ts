import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { EffectCluster } from '../support/effect-cluster.js';
import { effectEvent, sendEvent } from '../support/effect-event.js';
import { type Answer, call, expectProblem } from '../support/http-answer.js';
import { Scrape } from '../support/metrics.js';
import { TestRedis } from '../support/redis.js';
import type { TestServer } from '../support/server.js';
import { TcpProxy } from '../support/tcp-proxy.js';
import { waitFor } from '../support/wait-for.js';
import { WebhookSender } from '../support/webhook-sender.js';

const LIMIT = 10;

let redis: TestRedis;
let cluster: EffectCluster;
let servers: TestServer[];

beforeAll(async () => {
  [redis, cluster] = await Promise.all([TestRedis.start(), EffectCluster.create()]);
  const env = { REDIS_URL: redis.url, TRUSTED_PROXIES: '127.0.0.1' };
  servers = await Promise.all([cluster.start(env), cluster.start(env)]);
  await cluster.createSource('limited', { rateLimitPerMinute: LIMIT });
  await cluster.createSource('generous', { rateLimitPerMinute: 1_000_000 });
});

afterAll(async () => {
  await cluster?.end();
  await redis?.stop();
});

function send(server: TestServer): Promise<Answer> {
  return sendEvent(server.url, effectEvent('test.unheard'), 'generous');
}

/** To the source that takes ten a minute, all from one address that has sent nothing yet, over both servers in turn. */
function sendAtOnce(count: number): Promise<Answer[]> {
  const headers = { 'x-forwarded-for': `2001:db8:${newGroup()}:${newGroup()}::1` };
  const path = '/webhooks/limited';
  return Promise.all(
    Array.from({ length: count }, (_, index) => {
      const sender = new WebhookSender(servers[index % servers.length]!.url);
      return sender.stripe(effectEvent('test.unheard'), { path, headers });
    }),
  );
}

function newGroup(): string {
  return randomBytes(2).toString('hex');
}

/** Milliseconds of each of `count` requests, one after the other. */
async function timesOf(server: TestServer, count: number): Promise<number[]> {
  const times: number[] = [];
  for (let request = 0; request < count; request++) {
    const start = performance.now();
    expect((await send(server)).status).toBe(200);
    times.push(performance.now() - start);
  }
  return times;
}

async function degraded(server: TestServer): Promise<number> {
  return (await Scrape.of(server)).value('holdfast_rate_limit_degraded_total') ?? 0;
}

/** Whether this server decides with Redis right now. */
async function asksRedis(server: TestServer): Promise<boolean> {
  const before = await degraded(server);
  await send(server);
  return (await degraded(server)) === before;
}

async function redisState(server: TestServer): Promise<unknown> {
  const { status, body } = await call(server, 'GET', '/health/ready');
  expect(status).toBe(200);
  return (body['checks'] as Record<string, unknown>)['redis'];
}

const median = (times: readonly number[]) => times.toSorted((one, other) => one - other)[times.length >> 1] ?? NaN;

/** Longer than an undisturbed request takes even on a busy machine, shorter than waiting for Redis in vain. */
const SLOW_MS = 200;

describe('Redis', () => {
  it('makes one limit of many servers: of 40 requests at once over two, exactly ten pass', async () => {
    const answers = await sendAtOnce(40);
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(LIMIT);
    const refused = answers.filter(({ status }) => status !== 200);
    for (const answer of refused) expectProblem(answer, 429, 'RATE_LIMIT_EXCEEDED');
    expect(Number(refused[0]!.headers.get('retry-after'))).toBeGreaterThan(0);
  });

  it('killed, costs no request: each server counts for itself until it is back, then they share again', async () => {
    await redis.kill();
    await waitFor(async () => (await redisState(servers[0]!)) === 'down');
    const alone = await sendAtOnce(60);
    expect(alone.filter(({ status }) => status === 200)).toHaveLength(LIMIT * servers.length);
    expect(alone.filter(({ status }) => status === 429)).toHaveLength(60 - LIMIT * servers.length);
    for (const server of servers) expect(await degraded(server)).toBeGreaterThan(0);
    expect(median(await timesOf(servers[0]!, 20))).toBeLessThan(SLOW_MS);

    await redis.restart();
    for (const server of servers) await waitFor(() => asksRedis(server));
    const together = await sendAtOnce(40);
    expect(together.filter(({ status }) => status === 200)).toHaveLength(LIMIT);
  });

  it('standing still, slows one request in a second and not every one', async () => {
    redis.freeze();
    try {
      const start = performance.now();
      const times = await timesOf(servers[0]!, 60);
      const seconds = (performance.now() - start) / 1000;
      expect(median(times)).toBeLessThan(SLOW_MS);
      // Were every one to wait for Redis, it would be four in a second.
      expect(times.filter((time) => time >= SLOW_MS).length).toBeLessThanOrEqual(5 + 2 * seconds);
    } finally {
      redis.resume();
    }
    await waitFor(() => asksRedis(servers[0]!));
  });

  it('that accepts connections and never answers keeps no server from starting and serving', async () => {
    const blackHole = await TcpProxy.start(redis.port);
    blackHole.hold();
    try {
      const server = await cluster.start({ REDIS_URL: `redis://127.0.0.1:${blackHole.port}`, ROLE: 'api' });
      const start = performance.now();
      const times = await timesOf(server, 40);
      const seconds = (performance.now() - start) / 1000;
      expect(median(times)).toBeLessThan(SLOW_MS);
      expect(times.filter((time) => time >= SLOW_MS).length).toBeLessThanOrEqual(5 + 2 * seconds);
      expect(await redisState(server)).toBe('down');

      blackHole.release();
      await waitFor(() => asksRedis(server));
      // The health check has a connection of its own.
      await waitFor(async () => (await redisState(server)) === 'up');
      expect(await server.stop()).toBe(0);
    } finally {
      await blackHole.stop();
    }
  });
});

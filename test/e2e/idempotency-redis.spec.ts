import { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Answer } from '../support/http-answer.js';
import { COMMITTED, GUARDED, IdempotentCluster, isReplay, newKey, post } from '../support/idempotent-cluster.js';
import { Scrape } from '../support/metrics.js';
import { TestRedis } from '../support/redis.js';
import type { TestServer } from '../support/server.js';
import { waitFor } from '../support/wait-for.js';

/** Longer than an undisturbed request takes even on a busy machine, shorter than waiting for Redis in vain. */
const SLOW_MS = 200;

let redis: TestRedis;
let admin: Redis;
let cluster: IdempotentCluster;
let writer: TestServer;
let reader: TestServer;

beforeAll(async () => {
  [redis, cluster] = await Promise.all([TestRedis.start(), IdempotentCluster.create()]);
  [writer, reader] = await Promise.all([
    cluster.start({ REDIS_URL: redis.url }),
    cluster.start({ REDIS_URL: redis.url }),
  ]);
  admin = new Redis(redis.url, { lazyConnect: true, retryStrategy: () => 50 });
  admin.on('error', () => undefined);
});

afterAll(async () => {
  admin?.disconnect();
  await cluster?.end();
  await redis?.stop();
});

beforeEach(async () => {
  for (const server of [writer, reader]) await waitFor(() => answersFromRedis(server));
});

async function count(server: TestServer, outcome: string): Promise<number> {
  return (await Scrape.of(server)).value('holdfast_idempotency_requests_total', { outcome }) ?? 0;
}

const nameOf = async (key: string) => (await admin.keys(`holdfast:idempotency:*:${key}`))[0];
const untilStored = (key: string) => waitFor(() => nameOf(key));

/** Whether the server finds in Redis what another has answered. */
async function answersFromRedis(server: TestServer): Promise<boolean> {
  const key = newKey();
  await post(server === writer ? reader : writer, GUARDED, key);
  if (!(await waitFor(() => nameOf(key), { timeout: 200 }).catch(() => false))) return false;
  const before = await count(server, 'redis');
  await post(server, GUARDED, key);
  return (await count(server, 'redis')) === before + 1;
}

/** One effect and one answer for the key, whatever Redis says. */
async function expectOnce(key: string, path = GUARDED): Promise<void> {
  const answer = await post(writer, path, key);
  expect({ status: answer.status, replay: isReplay(answer) }).toEqual({ status: 201, replay: false });
  for (const server of [reader, writer, reader]) {
    const repeat = await post(server, path, key);
    expect({ status: repeat.status, text: repeat.text, replay: isReplay(repeat) }).toEqual({
      status: 201,
      text: answer.text,
      replay: true,
    });
  }
  expect(await cluster.effectsOf(key)).toHaveLength(1);
}

/** Milliseconds of each of `pairs` requests and their repeats on the other server. */
async function timesOf(pairs: number): Promise<number[]> {
  const times: number[] = [];
  const timed = async (asking: Promise<Answer>) => {
    const start = performance.now();
    const answer = await asking;
    times.push(performance.now() - start);
    return answer;
  };
  for (let pair = 0; pair < pairs; pair++) {
    const key = newKey();
    expect((await timed(post(writer, COMMITTED, key))).status).toBe(201);
    expect(isReplay(await timed(post(reader, COMMITTED, key)))).toBe(true);
  }
  return times;
}

const median = (times: readonly number[]) => times.toSorted((one, other) => one - other)[times.length >> 1] ?? NaN;

describe('Redis', () => {
  it('tells one server what the other has answered, byte for byte', async () => {
    for (const path of [GUARDED, COMMITTED]) {
      const key = newKey();
      const answer = await post(writer, path, key);
      await untilStored(key);
      const before = await count(reader, 'redis');
      const repeat = await post(reader, path, key);
      expect([repeat.status, repeat.text]).toEqual([answer.status, answer.text]);
      expect(repeat.headers.get('content-type')).toBe(answer.headers.get('content-type'));
      expect(await count(reader, 'redis')).toBe(before + 1);
      expect(isReplay(repeat)).toBe(true);
    }
  });

  it('refuses another request under the key as the database would', async () => {
    const key = newKey();
    await post(writer, COMMITTED, key);
    await untilStored(key);
    expect((await post(reader, COMMITTED, key, { value: 'altered' })).status).toBe(422);
  });

  it('keeps an answer for at most an hour', async () => {
    const key = newKey();
    await post(writer, GUARDED, key);
    const milliseconds = await admin.pttl(await untilStored(key));
    expect(milliseconds).toBeGreaterThan(3_500_000);
    expect(milliseconds).toBeLessThanOrEqual(3_600_000);
  });

  it.each(['an answer of another key', 'nonsense', '{"status":200}', ''])(
    'is not believed when somebody else wrote the value: %s',
    async (forged) => {
      const [key, stolen] = [newKey(), newKey()];
      const answer = await post(writer, COMMITTED, key, { value: 'mine' });
      await post(writer, COMMITTED, stolen, { value: 'mine' });
      const name = await untilStored(key);
      const other = await admin.get(await untilStored(stolen));
      await admin.set(name, forged.startsWith('an answer') ? (other ?? '') : forged);
      const before = await count(reader, 'redis');
      const repeat = await post(reader, COMMITTED, key, { value: 'mine' });
      expect({ text: repeat.text, replay: isReplay(repeat) }).toEqual({ text: answer.text, replay: true });
      expect(await count(reader, 'redis')).toBe(before);
      expect(await cluster.effectsOf(key)).toHaveLength(1);
    },
  );

  it('flushed, is filled again, and nothing happens twice', async () => {
    const key = newKey();
    const answer = await post(writer, COMMITTED, key);
    await untilStored(key);
    await admin.flushall();
    const repeat = await post(reader, COMMITTED, key);
    expect({ text: repeat.text, replay: isReplay(repeat) }).toEqual({ text: answer.text, replay: true });
    await untilStored(key);
    expect(await cluster.effectsOf(key)).toHaveLength(1);
  });

  it('that refuses writes is only read, and used again when it takes them', async () => {
    await admin.config('SET', 'min-replicas-to-write', '1');
    try {
      for (const path of [GUARDED, COMMITTED]) await expectOnce(newKey(), path);
    } finally {
      await admin.config('SET', 'min-replicas-to-write', '0');
    }
    await waitFor(() => answersFromRedis(reader));
  });

  it('killed, costs neither an answer nor time, and is used again when it is back', async () => {
    await redis.kill();
    try {
      for (const path of [GUARDED, COMMITTED]) await expectOnce(newKey(), path);
      expect(median(await timesOf(15))).toBeLessThan(SLOW_MS);
    } finally {
      await redis.restart();
    }
    await waitFor(() => answersFromRedis(reader));
  });

  it('standing still, slows a request in a second and not every one', async () => {
    redis.freeze();
    try {
      const start = performance.now();
      const times = await timesOf(40);
      const seconds = (performance.now() - start) / 1000;
      expect(median(times)).toBeLessThan(SLOW_MS);
      // The rate limiter and this cache each try again once a second, on both servers.
      expect(times.filter((time) => time >= SLOW_MS).length).toBeLessThanOrEqual(4 + 4 * seconds);
    } finally {
      redis.resume();
    }
    for (const path of [GUARDED, COMMITTED]) await expectOnce(newKey(), path);
  });
});

import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { RedisLockStore } from '../../src/platform/locks/adapters/redis-lock-store.js';
import { LocksUnavailableError } from '../../src/platform/locks/index.js';
import { describeLockStore } from '../../src/platform/locks/lock-store.contract.js';
import { sharedRedisUrl, TestRedis } from '../support/redis.js';
import { TcpProxy } from '../support/tcp-proxy.js';
import { waitFor } from '../support/wait-for.js';

const TTL_MS = 60_000;
const COMMAND_TIMEOUT_MS = 250;
const newKey = () => `test:${Math.random()}`;
const clients: Redis[] = [];

/** With the settings of `RedisModule`. */
function connect(url: string): Redis {
  const client = new Redis(url, {
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    commandTimeout: COMMAND_TIMEOUT_MS,
    retryStrategy: () => 50,
  });
  client.on('error', () => undefined);
  clients.push(client);
  return client;
}

/** What two processes make of the database's time: the same, but for `aheadMs`. */
function storeOf(connections: readonly Redis[], aheadMs = 0): RedisLockStore {
  return new RedisLockStore(connections, { now: () => performance.timeOrigin + performance.now() + aheadMs });
}

async function connected(urls: readonly string[]): Promise<Redis[]> {
  const connections = urls.map(connect);
  await waitFor(() => connections.every(({ status }) => status === 'ready'));
  return connections;
}

afterAll(() => {
  for (const client of clients) client.disconnect();
});

describe('locks in one Redis', () => {
  let one: Redis[];
  let other: Redis[];

  beforeAll(async () => {
    [one, other] = await Promise.all([connected([sharedRedisUrl()]), connected([sharedRedisUrl()])]);
  });

  describeLockStore('RedisLockStore with one server', () => [storeOf(one), storeOf(other)]);

  it('give growing tokens to processes that disagree about the time', async () => {
    const key = newKey();
    const stores = [storeOf(one, 5000), storeOf(other), storeOf(one, -5000), storeOf(other, 1)];
    let last = 0n;
    for (let holder = 0; holder < 8; holder++) {
      const store = stores[holder % stores.length]!;
      const lock = await store.acquire(key, TTL_MS);
      expect(lock!.fencingToken).toBeGreaterThan(last);
      last = lock!.fencingToken;
      await store.release(lock!);
    }
  });

  it('take one round trip', async () => {
    const store = storeOf(one);
    await store.acquire(newKey(), TTL_MS);
    const before = await commandsOf(other[0]!);
    for (let lock = 0; lock < 10; lock++) await store.acquire(newKey(), TTL_MS);
    // The shared server may have other guests; each acquisition of ours is one EVAL.
    const sent = (await commandsOf(other[0]!)) - before;
    expect(sent).toBeGreaterThanOrEqual(10);
    expect(sent).toBeLessThan(20);
  });

  it('leave nothing behind after a day', async () => {
    const key = newKey();
    const lock = await storeOf(one).acquire(key, TTL_MS);
    const names = await other[0]!.keys(`holdfast:lock:{${key}}*`);
    const lives = await Promise.all(names.map((name) => other[0]!.pttl(name)));
    expect(names).toHaveLength(2);
    for (const life of lives) {
      expect(life).toBeGreaterThan(0);
      expect(life).toBeLessThanOrEqual(86_400_000);
    }
    await storeOf(one).release(lock!);
    expect(await other[0]!.keys(`holdfast:lock:{${key}}*`)).toHaveLength(1);
  });
});

/** EVAL commands that server has carried out so far. */
async function commandsOf(client: Redis): Promise<number> {
  return Number(/cmdstat_eval:calls=(\d+)/.exec(await client.info('commandstats'))?.[1] ?? 0);
}

describe('locks in one Redis of their own', () => {
  let redis: TestRedis;
  let proxy: TcpProxy;
  let client: Redis[];

  beforeAll(async () => {
    redis = await TestRedis.start();
    proxy = await TcpProxy.start(redis.port);
    client = await connected([`redis://127.0.0.1:${proxy.port}`]);
  });

  afterAll(async () => {
    await proxy?.stop();
    await redis?.stop();
  });

  afterEach(async () => {
    proxy.release();
    redis.resume();
    await waitFor(async () => (await storeOf(client).acquire(newKey(), TTL_MS)) !== null);
  });

  it('are lost with a flush, but the next holder’s token is still greater', async () => {
    const [store, key] = [storeOf(client), newKey()];
    const first = await store.acquire(key, TTL_MS);
    await client[0]!.flushall();
    expect(await store.renew(first!, TTL_MS)).toBe(false);
    const second = await storeOf(client).acquire(key, TTL_MS);
    expect(second!.fencingToken).toBeGreaterThan(first!.fencingToken);
    expect(await store.release(first!)).toBe(false);
    expect(await store.renew(second!, TTL_MS)).toBe(true);
  });

  it('cannot be had, at once and with a clear error, while Redis is down', async () => {
    const [store, key] = [storeOf(client), newKey()];
    const lock = await store.acquire(key, TTL_MS);
    await redis.kill();
    await waitFor(() => client[0]!.status !== 'ready');
    const start = performance.now();
    await expect(store.acquire(newKey(), TTL_MS)).rejects.toThrow(LocksUnavailableError);
    await expect(store.renew(lock!, TTL_MS)).rejects.toThrow(LocksUnavailableError);
    await expect(store.release(lock!)).rejects.toThrow(LocksUnavailableError);
    expect(performance.now() - start).toBeLessThan(2 * COMMAND_TIMEOUT_MS);
    await redis.restart();
    await waitFor(() => client[0]!.status === 'ready');
  });

  it('cannot be had from a Redis that does not answer; only the first to ask waits to find out', async () => {
    const store = storeOf(client);
    proxy.hold();
    await expect(store.acquire(newKey(), TTL_MS)).rejects.toThrow(LocksUnavailableError);
    const start = performance.now();
    for (let n = 0; n < 20; n++) await expect(store.acquire(newKey(), TTL_MS)).rejects.toThrow(LocksUnavailableError);
    // Were each to wait, it would take twenty time-outs.
    expect(performance.now() - start).toBeLessThan(10 * COMMAND_TIMEOUT_MS);
    proxy.release();
    await waitFor(() => store.acquire(newKey(), TTL_MS));
  });

  it('that were granted unheard are given back when Redis is heard again', async () => {
    const [store, key] = [storeOf(client), newKey()];
    proxy.hold();
    await expect(store.acquire(key, TTL_MS)).rejects.toThrow(LocksUnavailableError);
    proxy.release();
    await waitFor(() => storeOf(client).acquire(key, TTL_MS));
  });

  it('outlive a renewal that was not confirmed', async () => {
    const [store, key] = [storeOf(client), newKey()];
    const lock = await store.acquire(key, TTL_MS);
    proxy.hold();
    await expect(store.renew(lock!, TTL_MS)).rejects.toThrow(LocksUnavailableError);
    proxy.release();
    expect(await store.renew(lock!, TTL_MS)).toBe(true);
    expect(await storeOf(client).acquire(key, TTL_MS)).toBeNull();
  });
});

describe('locks in three Redis servers', () => {
  let servers: TestRedis[];
  let one: Redis[];
  let other: Redis[];

  beforeAll(async () => {
    servers = await Promise.all([TestRedis.start(), TestRedis.start(), TestRedis.start()]);
    const urls = servers.map(({ url }) => url);
    [one, other] = await Promise.all([connected(urls), connected(urls)]);
  });

  afterAll(() => Promise.all((servers ?? []).map((server) => server.stop())));

  afterEach(async () => {
    for (const server of servers) server.resume();
    await waitFor(() => [...one, ...other].every(({ status }) => status === 'ready'));
  });

  describeLockStore('RedisLockStore with three servers', () => [storeOf(one), storeOf(other)]);

  it('outlive the loss of one', async () => {
    const [store, key] = [storeOf(one), newKey()];
    const lock = await store.acquire(key, TTL_MS);
    await servers[0]!.kill();
    await waitFor(() => one[0]!.status !== 'ready' && other[0]!.status !== 'ready');
    expect(await storeOf(other).acquire(key, TTL_MS)).toBeNull();
    expect(await store.renew(lock!, TTL_MS)).toBe(true);
    await servers[0]!.restart();
    await waitFor(() => one[0]!.status === 'ready' && other[0]!.status === 'ready');
    // It came back empty: two of three still know whose the lock is.
    expect(await storeOf(other).acquire(key, TTL_MS)).toBeNull();
    expect(await store.release(lock!)).toBe(true);
  });

  it('cannot be had from a minority', async () => {
    const key = newKey();
    await Promise.all([servers[0]!.kill(), servers[1]!.kill()]);
    await waitFor(() => [one[0], one[1]].every((client) => client!.status !== 'ready'));
    await expect(storeOf(one).acquire(key, TTL_MS)).rejects.toThrow(LocksUnavailableError);
    await Promise.all([servers[0]!.restart(), servers[1]!.restart()]);
    await waitFor(() => [...one, ...other].every(({ status }) => status === 'ready'));
    // And what the one left over had granted was given back.
    expect(await storeOf(other).acquire(key, TTL_MS)).not.toBeNull();
  });

  it('are slowed down by one that stands still now and then, not every time', async () => {
    const store = storeOf(one);
    servers[1]!.freeze();
    const ask = async () => expect(await store.acquire(newKey(), TTL_MS)).not.toBeNull();
    // The first finds out; then one of those that come together asks whether it is back.
    await ask();
    const asked = jest.spyOn(one[1]!, 'eval');
    let rounds = 0;
    try {
      await waitFor(async () => {
        await Promise.all(Array.from({ length: 20 }, ask));
        rounds += 1;
        return asked.mock.calls.length >= 3;
      });
      // Half a second apart, and the votes between them do not wait.
      expect(rounds).toBeGreaterThan(10);
      expect(asked.mock.calls.length).toBeLessThanOrEqual(5);
    } finally {
      asked.mockRestore();
    }
  });

  it('keep their tokens growing whichever two of the servers answer, by whatever clock', async () => {
    const key = newKey();
    let last = 0n;
    for (let round = 0; round < 6; round++) {
      const away = servers[round % 3]!;
      away.freeze();
      // The first process lives five seconds ahead of the second.
      const store = round % 2 === 0 ? storeOf(one, 5000) : storeOf(other);
      const lock = await store.acquire(key, TTL_MS);
      away.resume();
      expect(lock!.fencingToken).toBeGreaterThan(last);
      last = lock!.fencingToken;
      await waitFor(async () => (await store.release(lock!)) || true);
      await waitFor(async () => (await one[round % 3]!.exists(`holdfast:lock:{${key}}`)) === 0);
    }
  });
});

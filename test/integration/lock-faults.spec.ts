import type { INestApplicationContext } from '@nestjs/common';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { DataSource } from 'typeorm';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { DatabaseClock } from '../../src/platform/clock/index.js';
import {
  LockFence,
  LockLostError,
  Locks,
  type LockScope,
  LocksUnavailableError,
} from '../../src/platform/locks/index.js';
import { REDIS, type RedisClient } from '../../src/platform/redis/index.js';
import { Transactor } from '../../src/platform/transaction/index.js';
import { compiled } from '../support/compile-into-build.mjs';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { lockContext } from '../support/lock-context.js';
import { TestRedis } from '../support/redis.js';
import { TcpProxy } from '../support/tcp-proxy.js';
import { waitFor } from '../support/wait-for.js';

const TTL_MS = 900;
const root = resolve(import.meta.dirname, '../..');
const newKey = () => `test:${Math.random()}`;

let database: TestDatabase;
let redis: TestRedis;
let redisProxy: TcpProxy;
const contexts: INestApplicationContext[] = [];
const children: ChildProcess[] = [];

beforeAll(async () => {
  [database, redis] = await Promise.all([createTestDatabase(), TestRedis.start()]);
  redisProxy = await TcpProxy.start(redis.port);
});

afterEach(async () => {
  redisProxy.release();
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

afterAll(async () => {
  await Promise.all(contexts.map((app) => app.close().then(() => app.get(DataSource).destroy())));
  await redisProxy?.stop();
  await redis?.stop();
  await database?.drop();
});

async function replica(redisUrl: string, databaseUrl = database.url): Promise<INestApplicationContext> {
  const app = await lockContext(databaseUrl, redisUrl);
  contexts.push(app);
  if (redisUrl !== '') await waitFor(() => app.get<RedisClient>(REDIS).status === 'ready');
  return app;
}

async function untilLocksAreHad(app: INestApplicationContext): Promise<void> {
  await waitFor(() => app.get(Locks).withLock(newKey(), { ttl: TTL_MS }, async () => true));
}

/** Resolves when the lock is lost, with how long after `from` that was. */
async function untilLost({ signal }: LockScope, from: number): Promise<number> {
  if (!signal.aborted) await once(signal, 'abort');
  expect(signal.reason).toBeInstanceOf(LockLostError);
  return performance.now() - from;
}

describe('a lock in Redis', () => {
  let here: INestApplicationContext;
  let there: INestApplicationContext;
  beforeAll(async () => {
    here = await replica(`redis://127.0.0.1:${redisProxy.port}`);
    there = await replica(redis.url);
  });
  // A Redis that has failed is not asked by everybody at once.
  beforeEach(() => Promise.all([untilLocksAreHad(here), untilLocksAreHad(there)]));

  it('lets one in at a time: fifty contenders of two processes, and no count is lost', async () => {
    const key = newKey();
    let [inside, most, count] = [0, 0, 0];
    const work = async () => {
      most = Math.max(most, ++inside);
      const read = count;
      await delay(1);
      count = read + 1;
      inside -= 1;
      return true;
    };
    // On a busy machine Redis may not answer in its 250 ms: who is told so comes again.
    await Promise.all(
      Array.from({ length: 50 }, (_, index) =>
        waitFor(() => (index % 2 ? here : there).get(Locks).withLock(key, { ttl: 5000 }, work)),
      ),
    );
    expect({ most, count }).toEqual({ most: 1, count: 50 });
  });

  it('is kept by its renewals for many times its TTL', async () => {
    const key = newKey();
    await here.get(Locks).withLock(key, { ttl: TTL_MS }, async ({ signal }) => {
      const start = performance.now();
      while (performance.now() - start < 4 * TTL_MS) {
        await expect(there.get(Locks).withLock(key, { ttl: TTL_MS, wait: 0 }, async () => undefined)).rejects.toThrow();
        await delay(20);
      }
      expect(signal.aborted).toBe(false);
    });
  });

  it('that cannot be reached any more tells its holder before anyone else can have it', async () => {
    const key = newKey();
    const result = await here.get(Locks).withLock(key, { ttl: TTL_MS }, async (lock) => {
      const start = performance.now();
      redisProxy.hold();
      const next = there.get(Locks).withLock(key, { ttl: TTL_MS, wait: 10_000 }, async () => performance.now());
      const lostAfter = await untilLost(lock, start);
      expect((await next) - start).toBeGreaterThan(lostAfter);
      return 'its own affair';
    });
    expect(result).toBe('its own affair');
  });

  it('is lost with a killed Redis; until it is back nobody gets one, and is told so at once', async () => {
    const start = performance.now();
    await here.get(Locks).withLock(newKey(), { ttl: TTL_MS }, async (lock) => {
      await redis.kill();
      expect(await untilLost(lock, start)).toBeLessThan(2 * TTL_MS);
    });
    const asked = performance.now();
    const refused = there.get(Locks).withLock(newKey(), { ttl: TTL_MS, wait: 10_000 }, async () => undefined);
    await expect(refused).rejects.toThrow(LocksUnavailableError);
    expect(performance.now() - asked).toBeLessThan(5000);
    await redis.restart();
    await Promise.all([untilLocksAreHad(here), untilLocksAreHad(there)]);
  });

  it('is lost with a flush: another has it at once, the first is told at its next renewal, and is fenced off', async () => {
    const key = newKey();
    await here.get(Locks).withLock(key, { ttl: TTL_MS }, async (first) => {
      await there.get<RedisClient>(REDIS).flushall();
      // Without Redis's memory tokens grow because time does, as the second process reads it (docs/locks.md).
      await waitFor(() => there.get(DatabaseClock).now() * 1000 > Number(first.fencingToken));
      await there.get(Locks).withLock(key, { ttl: TTL_MS, wait: 0 }, async (second) => {
        expect(second.fencingToken).toBeGreaterThan(first.fencingToken);
        const write = (app: INestApplicationContext, { fencingToken }: LockScope) =>
          app.get(Transactor).run((tx) => app.get(LockFence).pass(tx, key, fencingToken));
        await write(there, second);
        await expect(write(here, first)).rejects.toThrow(LockLostError);
        await write(there, second);
        await untilLost(first, 0);
        expect(second.signal.aborted).toBe(false);
      });
    });
  });
});

describe('a lock in PostgreSQL', () => {
  it('outlives a cut connection', async () => {
    const proxy = await TcpProxy.start(Number(new URL(database.url).port));
    const url = new URL(database.url);
    url.port = String(proxy.port);
    const app = await replica('', url.href);
    try {
      await app.get(Locks).withLock(newKey(), { ttl: TTL_MS }, async ({ signal }) => {
        proxy.cut();
        const start = performance.now();
        await waitFor(() => performance.now() - start > 2 * TTL_MS);
        expect(signal.aborted).toBe(false);
      });
    } finally {
      await proxy.stop();
    }
  });

  it('that cannot be reached any more tells its holder before anyone else can have it', async () => {
    const key = newKey();
    const proxy = await TcpProxy.start(Number(new URL(database.url).port));
    const url = new URL(database.url);
    url.port = String(proxy.port);
    const here = await replica('', url.href);
    const there = await replica('');
    try {
      await here.get(Locks).withLock(key, { ttl: TTL_MS }, async (lock) => {
        proxy.hold();
        const start = performance.now();
        const next = there.get(Locks).withLock(key, { ttl: TTL_MS, wait: 10_000 }, async () => performance.now());
        const lostAfter = await untilLost(lock, start);
        expect((await next) - start).toBeGreaterThan(lostAfter);
      });
    } finally {
      proxy.release();
      await proxy.stop();
    }
  });
});

describe.each(['PostgreSQL', 'Redis'])('a holder that stood still past its TTL, with locks in %s', (where) => {
  it('comes back, is told, and what it writes is fenced off', async () => {
    const redisUrl = where === 'Redis' ? redis.url : '';
    const key = newKey();
    const app = await replica(redisUrl);
    const sql = <Row>(text: string) => app.get(DataSource).query<Row[]>(text);
    await sql('DROP TABLE IF EXISTS guarded');
    await sql('CREATE TABLE guarded (id integer PRIMARY KEY, value text, fencing_token bigint NOT NULL DEFAULT 0)');
    await sql('INSERT INTO guarded (id) VALUES (1), (2)');

    const holder = startHolder(redisUrl, key);
    const token = BigInt(String((await holder.next())['held']));
    holder.child.kill('SIGSTOP');
    // It has read, decided, and is about to write when it stops.
    holder.child.stdin?.write('go\n');
    await app.get(Locks).withLock(key, { ttl: 5000, wait: 10_000 }, async ({ fencingToken }) => {
      expect(fencingToken).toBeGreaterThan(token);
      await app.get(Transactor).run(async (tx) => {
        await tx.query(
          `UPDATE guarded SET value = 'by the second', fencing_token = $1 WHERE id = 1 AND fencing_token <= $1`,
          [fencingToken],
        );
        await app.get(LockFence).pass(tx, key, fencingToken);
        await tx.query(`UPDATE guarded SET value = 'by the second' WHERE id = 2`);
      });
    });
    holder.child.kill('SIGCONT');
    expect(await holder.next()).toEqual({ rows: 0, fence: 'LOCK_LOST', aborted: true });
    expect(await sql('SELECT id, value FROM guarded ORDER BY id')).toEqual([
      { id: 1, value: 'by the second' },
      { id: 2, value: 'by the second' },
    ]);
  });
});

/** A process of its own, see `lock-holder.ts`. */
function startHolder(redisUrl: string, key: string) {
  const program = compiled('test/support/lock-holder.ts');
  const child = spawn(process.execPath, [program, database.url, redisUrl, key, String(TTL_MS)], {
    cwd: root,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  children.push(child);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async (): Promise<Record<string, unknown>> => JSON.parse(String((await lines.next()).value));
  return { child, next };
}

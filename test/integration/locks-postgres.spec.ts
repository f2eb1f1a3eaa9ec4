import { setTimeout as delay } from 'node:timers/promises';
import type { DataSource } from 'typeorm';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createDataSource } from '../../src/platform/database/index.js';
import { PostgresLockStore } from '../../src/platform/locks/adapters/postgres-lock-store.js';
import { Locks } from '../../src/platform/locks/index.js';
import { describeLockStore } from '../../src/platform/locks/lock-store.contract.js';
import { Metrics } from '../../src/platform/metrics/index.js';
import { Transactor } from '../../src/platform/transaction/index.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';

const POOL = { poolSize: 10, poolTimeoutMs: 30_000, statementTimeoutMs: 30_000 };

let database: TestDatabase;
let pools: DataSource[];
let stores: PostgresLockStore[];

beforeAll(async () => {
  database = await createTestDatabase();
  const connect = () => createDataSource(database.url, { entities: [], migrations: [] }, POOL).initialize();
  pools = await Promise.all([connect(), connect()]);
  stores = pools.map((pool) => new PostgresLockStore(new Transactor(pool, new Metrics())));
});

afterAll(async () => {
  await Promise.all((pools ?? []).map((pool) => pool.destroy()));
  await database?.drop();
});

describe('locks in PostgreSQL', () => {
  const newKey = () => `test:${Math.random()}`;
  const sql = <Row>(text: string, parameters: unknown[] = []) => pools[0]!.query<Row[]>(text, parameters);

  describeLockStore('PostgresLockStore', () => [stores[0]!, stores[1]!]);

  it('exclude each other: fifty contenders over two pools, and no count is lost', async () => {
    const key = newKey();
    const replicas = stores.map((store) => new Locks(store, new Metrics()));
    let inside = 0;
    let most = 0;
    let count = 0;
    const tokens: bigint[] = [];
    const options = { ttl: 5000, wait: 30_000 };
    await Promise.all(
      Array.from({ length: 50 }, (_, index) =>
        replicas[index % 2]!.withLock(key, options, async ({ fencingToken }) => {
          most = Math.max(most, ++inside);
          // An unprotected read, pause and write: two at once would count one.
          const read = count;
          await delay(1);
          count = read + 1;
          tokens.push(fencingToken);
          inside -= 1;
        }),
      ),
    );
    expect({ most, count }).toEqual({ most: 1, count: 50 });
    expect(tokens).toEqual(tokens.toSorted((one, other) => (one < other ? -1 : 1)));
    expect(new Set(tokens).size).toBe(50);
  });

  it('cost those who come in vain no write', async () => {
    const key = newKey();
    await stores[0]!.acquire(key, 60_000);
    const version = () => sql('SELECT xmin, xmax, ctid FROM locks WHERE key = $1', [key]);
    const before = await version();
    await Promise.all(Array.from({ length: 20 }, () => stores[1]!.acquire(key, 60_000)));
    expect(await version()).toEqual(before);
  });

  it('say who holds them', async () => {
    const key = newKey();
    await stores[0]!.acquire(key, 60_000);
    const [row] = await sql<{ holder: string }>('SELECT holder FROM locks WHERE key = $1', [key]);
    expect(row?.holder).toMatch(new RegExp(`:${process.pid}$`));
  });

  it('give growing tokens though the clock of the database was ahead before', async () => {
    const key = newKey();
    const lock = await stores[0]!.acquire(key, 60_000);
    const ahead = lock!.fencingToken + 3_600_000_000n;
    await sql('UPDATE locks SET fencing_token = $2 WHERE key = $1', [key, ahead]);
    await stores[0]!.release(lock!);
    expect(await stores[1]!.acquire(key, 60_000)).toMatchObject({ fencingToken: ahead + 1n });
  });

  it('are forgotten a day after their end, and only then; tokens grow all the same', async () => {
    const [old, recent, held] = [newKey(), newKey(), newKey()];
    const first = await stores[0]!.acquire(old, 60_000);
    await stores[0]!.acquire(recent, 60_000);
    await stores[0]!.acquire(held, 60_000);
    await sql(`UPDATE locks SET expires_at = now() - interval '25 hours' WHERE key = $1`, [old]);
    await sql(`UPDATE locks SET expires_at = now() - interval '23 hours' WHERE key = $1`, [recent]);
    await stores[0]!.removeOld(100);
    const left = await sql<{ key: string }>('SELECT key FROM locks WHERE key = ANY ($1)', [[old, recent, held]]);
    expect(left.map(({ key }) => key).toSorted()).toEqual([recent, held].toSorted());
    expect((await stores[1]!.acquire(old, 60_000))!.fencingToken).toBeGreaterThan(first!.fencingToken);
  });
});

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { MIGRATIONS } from '../../migrations/index.js';
import { migrate } from '../../src/platform/database/index.js';
import { type PrivatePostgres, startPrivatePostgres } from '../support/postgres.js';
import { TestRedis } from '../support/redis.js';
import type { TestServer } from '../support/server.js';
import { TransferLoad } from '../support/transfer-load.js';
import { waitFor } from '../support/wait-for.js';
import { WalletCluster } from '../support/wallet-cluster.js';

const FUNDS = 2000;
const SENDERS = 24;

let postgres: PrivatePostgres;
let redis: TestRedis;
let cluster: WalletCluster;
let servers: TestServer[];
/** Limits that are never reached, so that each request asks Redis. */
let env: Record<string, string>;

beforeAll(async () => {
  [postgres, redis] = await Promise.all([startPrivatePostgres(), TestRedis.start()]);
  await migrate(postgres.url, { entities: [], migrations: MIGRATIONS });
  cluster = await WalletCluster.create(postgres.url);
  env = { REDIS_URL: redis.url, RATE_LIMIT_PER_SECOND: '1000000', MUTATION_RATE_LIMIT: '1000000' };
  servers = await Promise.all([cluster.start(env), cluster.start(env)]);
});

afterAll(async () => {
  await cluster?.end();
  await Promise.all([postgres?.stop(), redis?.stop()]);
});

/** Sends transfers while `disturb` happens, and expects every one of them to be there once or not at all. */
async function transferThrough(count: number, disturb: (load: TransferLoad) => Promise<void>): Promise<TransferLoad> {
  const users = await cluster.wallet(0).newUsers(8, FUNDS);
  const load = new TransferLoad(cluster, users, count);
  load.start(SENDERS);
  await waitFor(() => load.answered >= count / 8);
  await disturb(load);
  await load.finish();

  const stored = await cluster.query<{ id: string }>(
    `SELECT t.id FROM ledger_transfers t JOIN ledger_accounts a ON a.id = t.debit_account
     WHERE t.kind = 'TRANSFER' AND a.owner = ANY ($1)`,
    [users],
  );
  expect(stored.map(({ id }) => id).toSorted()).toEqual(load.posted.toSorted());
  const gains = load.gains();
  for (const [turn, user] of users.entries()) {
    expect(await cluster.wallet(turn).fundsOf(user)).toBe(FUNDS + (gains.get(user) ?? 0));
  }
  for (const wallet of cluster.wallets) await wallet.expectIntegrity();
  return load;
}

describe('kill -9 of a server under load', () => {
  it('loses nothing that was acknowledged and posts nothing twice: each key tells', async () => {
    const load = await transferThrough(800, async (running) => {
      await servers[0]!.kill('SIGKILL');
      const before = running.answered;
      await waitFor(() => running.answered >= Math.min(before + 100, running.operations.length));
      servers[0] = await cluster.start(env);
    });
    expect(load.unclear).toBeGreaterThan(0);
  });
});

describe('kill -9 of PostgreSQL under load', () => {
  it('loses nothing that was acknowledged and posts nothing twice', async () => {
    const load = await transferThrough(800, async () => {
      await postgres.kill9();
      await waitFor(async () => (await servers[1]!.fetch('/health/ready')).status === 503);
      await postgres.restart();
    });
    expect(load.unclear).toBeGreaterThan(0);
    expect(servers.map(({ hasExited }) => hasExited)).toEqual([false, false]);
  });
});

describe('kill -9 of Redis under load, and its return', () => {
  it('costs no transfer and no cent', async () => {
    const load = await transferThrough(800, async (running) => {
      await redis.kill();
      const before = running.answered;
      await waitFor(() => running.answered >= Math.min(before + 200, running.operations.length));
      await redis.restart();
    });
    expect(load.unclear).toBe(0);
  });
});

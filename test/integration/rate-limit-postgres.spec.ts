import { SchedulerRegistry } from '@nestjs/schedule';
import { DataSource } from 'typeorm';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createDataSource } from '../../src/platform/database/index.js';
import { Metrics } from '../../src/platform/metrics/index.js';
import { PostgresRateLimitStore } from '../../src/platform/rate-limit/adapters/postgres-rate-limit-store.js';
import { describeRateLimitStore } from '../../src/platform/rate-limit/rate-limit-store.contract.js';
import { tier } from '../../src/platform/rate-limit/tier.js';
import { RepeatingTasks } from '../../src/platform/schedule/index.js';
import { Transactor } from '../../src/platform/transaction/index.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';

describe('limits in PostgreSQL', () => {
  let database: TestDatabase;
  let dataSources: DataSource[];
  let stores: PostgresRateLimitStore[];
  const newSubject = () => `test:${Math.random()}`;

  beforeAll(async () => {
    database = await createTestDatabase();
    dataSources = await Promise.all(
      Array.from({ length: 2 }, () =>
        createDataSource(
          database.url,
          { entities: [], migrations: [] },
          { poolSize: 10, poolTimeoutMs: 5000, statementTimeoutMs: 10_000 },
        ).initialize(),
      ),
    );
    stores = dataSources.map((dataSource) => new PostgresRateLimitStore(new Transactor(dataSource, new Metrics())));
  });

  afterAll(async () => {
    for (const dataSource of dataSources ?? []) await dataSource.destroy();
    await database?.drop();
  });

  describeRateLimitStore('PostgreSQL', () => stores[0]!);

  it('are one count for all replicas: of 60 requests at once over two, exactly the limit passes', async () => {
    const subject = newSubject();
    const tiers = [tier('second', 15, 60_000), tier('minute', 10, 60_000)];
    const decisions = await Promise.all(
      Array.from({ length: 60 }, (_, index) => stores[index % 2]!.take(subject, tiers)),
    );
    expect(decisions.filter(({ allowed }) => allowed)).toHaveLength(10);
  });

  it('are removed once nothing of them counts any more, and not before', async () => {
    const [over, live] = [newSubject(), newSubject()];
    const tiers = [tier('minute', 3, 60_000)];
    for (const subject of [over, live]) await stores[0]!.take(subject, tiers);
    await dataSources[0]!.query(
      `UPDATE rate_limit_counters SET over_at = over_at - interval '1 day' WHERE subject = $1`,
      [over],
    );
    await stores[0]!.sweep(100);
    const left = await dataSources[0]!.query<{ subject: string }[]>(
      'SELECT subject FROM rate_limit_counters WHERE subject = ANY ($1)',
      [[over, live]],
    );
    expect(left).toEqual([{ subject: live }]);
  });

  it('are removed in one sweep, however many are over', async () => {
    await dataSources[0]!.query(
      `INSERT INTO rate_limit_counters (subject, state, readings, over_at)
       SELECT 'over:' || n, '{}', '{}', now() - interval '1 day' FROM generate_series(1, 2500) AS n`,
    );
    const timers = new RepeatingTasks({ role: 'all' }, new SchedulerRegistry());
    timers.begin(stores[0]!);
    await timers.run('rate limit counters');
    await timers.onModuleDestroy();
    const left = await dataSources[0]!.query<{ subject: string }[]>(
      'SELECT subject FROM rate_limit_counters WHERE over_at < now()',
    );
    expect(left).toEqual([]);
  });
});

import { Redis } from 'ioredis';
import { createDataSource } from '../../src/platform/database/index.js';
import { Metrics } from '../../src/platform/metrics/index.js';
import { Transactor } from '../../src/platform/transaction/index.js';
import type { Stage } from '../stage/stage.js';

/** As many connections as a server has by default. */
const POOL = { poolSize: 20, poolTimeoutMs: 10_000, statementTimeoutMs: 30_000 };

/** On the stage's database, whose tables the server has made. */
export async function openTransactor({ database, leave }: Stage): Promise<Transactor> {
  const dataSource = createDataSource(database.url, { entities: [], migrations: [] }, POOL);
  await dataSource.initialize();
  leave.push(() => dataSource.destroy());
  return new Transactor(dataSource, new Metrics());
}

/** @throws Error when the stage has no Redis */
export function openRedis({ redisUrl, leave }: Stage): Redis {
  if (redisUrl === null) throw new Error('The stage was set without Redis');
  const redis = new Redis(redisUrl);
  leave.push(() => redis.disconnect());
  return redis;
}

import { type DynamicModule, Global, Logger, Module } from '@nestjs/common';
import type { Gauge } from 'prom-client';
import { DataSource } from 'typeorm';
import { CONFIG, type Config } from '../../config/index.js';
import { Metrics } from '../metrics/index.js';
import { createDataSource, type Schema } from './data-source.js';
import { discardOpenTransactions, type ReleasingPool } from './discard-open-transactions.js';

interface Pool extends ReleasingPool {
  totalCount: number;
  idleCount: number;
  waitingCount: number;
}

@Global()
@Module({})
export class DatabaseModule {
  /**
   * Connects at start. Whoever closes the application destroys the `DataSource` after it, so that every module can
   * still write while it shuts down.
   *
   * @param url where PostgreSQL is; decided before Nest starts, because the embedded one must run first
   */
  static forRoot(url: string, schema: Schema): DynamicModule {
    return {
      module: DatabaseModule,
      providers: [
        {
          provide: DataSource,
          inject: [CONFIG, Metrics],
          useFactory: (config: Config, metrics: Metrics) => connect(url, schema, config, metrics),
        },
      ],
      exports: [DataSource],
    };
  }
}

async function connect(url: string, schema: Schema, config: Config, metrics: Metrics): Promise<DataSource> {
  const logger = new Logger('Database');
  const dataSource = createDataSource(url, schema, {
    poolSize: config.DB_POOL_SIZE,
    poolTimeoutMs: config.DB_POOL_TIMEOUT_MS,
    maxLifetimeMs: config.DB_POOL_MAX_LIFETIME_MS,
    statementTimeoutMs: config.DB_STATEMENT_TIMEOUT_MS,
    onIdleClientError: (error) => logger.warn(`An idle connection broke: ${error.message}`),
  });
  await dataSource.initialize();
  const pool = (dataSource.driver as unknown as { master: Pool }).master;
  discardOpenTransactions(pool);
  const setCounts = (gauge: Gauge<'state'>) => {
    gauge.set({ state: 'total' }, pool.totalCount);
    gauge.set({ state: 'idle' }, pool.idleCount);
    gauge.set({ state: 'waiting' }, pool.waitingCount);
  };
  metrics.gauge('holdfast_db_pool_connections', 'Database connections by state', ['state'], setCounts, 'sum');
  return dataSource;
}

import { types, TypeOverrides } from 'pg';
import { DataSource, type DataSourceOptions } from 'typeorm';
import { parseExactJson } from '../../kernel/exact-json.js';
import { WatchedClient } from './watched-client.js';

export interface Schema {
  entities: NonNullable<DataSourceOptions['entities']>;
  /** In the order they run. */
  migrations: NonNullable<DataSourceOptions['migrations']>;
}

export interface PoolOptions {
  poolSize: number;
  /** How long a caller waits for a free connection before it fails (and the client reads 503). */
  poolTimeoutMs: number;
  /** 0 for none. */
  statementTimeoutMs: number;
  /** A connection that is older is given up once it is idle. Never unless told. */
  maxLifetimeMs?: number;
  onIdleClientError?: (error: Error) => void;
}

const NETWORK_GRACE_MS = 5000;

/** For one caller that does one thing after the other and may take its time. */
const SINGLE_USE: PoolOptions = { poolSize: 2, poolTimeoutMs: 10_000, statementTimeoutMs: 0 };

/** The driver's own reading of JSON rounds integers beyond 2^53; with this one they come as `bigint`. */
const EXACT_JSON = new TypeOverrides();
EXACT_JSON.setTypeParser(types.builtins.JSON, parseExactJson);
EXACT_JSON.setTypeParser(types.builtins.JSONB, parseExactJson);

/** The TypeORM data source, not yet connected. Schema changes come from migrations only, never from `synchronize`. */
export function createDataSource(url: string, { entities, migrations }: Schema, pool: PoolOptions): DataSource {
  return new DataSource({
    type: 'postgres',
    url,
    entities,
    migrations,
    migrationsTableName: 'migrations',
    migrationsTransactionMode: 'each',
    poolSize: pool.poolSize,
    connectTimeoutMS: pool.poolTimeoutMs,
    applicationName: 'holdfast',
    poolErrorHandler: pool.onIdleClientError,
    extra: {
      Client: WatchedClient,
      types: EXACT_JSON,
      statement_timeout: pool.statementTimeoutMs,
      // PostgreSQL ends a slow statement; a PostgreSQL that hangs, or a black-holed network, only we can give up on.
      ...(pool.statementTimeoutMs > 0 && { query_timeout: pool.statementTimeoutMs + NETWORK_GRACE_MS }),
      // A transaction whose owner went away without closing its socket must not keep its locks.
      idle_in_transaction_session_timeout: 60_000,
      keepAlive: true,
      // After a failover, or behind a balancer, connections move on by and by; and what one has cached is let go.
      maxLifetimeSeconds: Math.ceil((pool.maxLifetimeMs ?? 0) / 1000),
      // Statements that do not wait for one another are sent at once and share a round trip; PostgreSQL keeps their order.
      pipeline: true,
    },
  });
}

/** Hands a connected data source to `work` and closes it, whatever comes of it. */
export async function withDataSource<T>(
  url: string,
  schema: Schema,
  work: (dataSource: DataSource) => Promise<T>,
): Promise<T> {
  const dataSource = await createDataSource(url, schema, SINGLE_USE).initialize();
  try {
    return await work(dataSource);
  } finally {
    await dataSource.destroy();
  }
}

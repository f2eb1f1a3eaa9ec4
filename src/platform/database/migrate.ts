import pg from 'pg';
import { createDataSource, type Entities } from './data-source.js';

/** Any two processes that migrate one database take this advisory lock; the number only has to be ours. */
const MIGRATION_LOCK = 7_163_511_201;
const CONNECTION_DEADLINE_MS = 10_000;

/**
 * Brings the schema up to date. Of several processes that start together one migrates and the others wait; a
 * finished schema costs one query.
 *
 * @returns names of the migrations that ran
 */
export async function migrate(url: string, entities: Entities = []): Promise<string[]> {
  const lock = new pg.Client({ connectionString: url, connectionTimeoutMillis: CONNECTION_DEADLINE_MS });
  await lock.connect();
  try {
    // On a connection of its own: a session lock outlives the migrations' transactions and goes when we do.
    await lock.query('SELECT pg_advisory_lock($1)', [MIGRATION_LOCK]);
    const dataSource = createDataSource(url, entities, {
      poolSize: 2,
      poolTimeoutMs: CONNECTION_DEADLINE_MS,
      statementTimeoutMs: 0,
    });
    await dataSource.initialize();
    try {
      return (await dataSource.runMigrations()).map(({ name }) => name);
    } finally {
      await dataSource.destroy();
    }
  } finally {
    await lock.end();
  }
}

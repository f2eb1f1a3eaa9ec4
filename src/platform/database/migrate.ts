import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import type { DataSource } from 'typeorm';
import { type Schema, withDataSource } from './data-source.js';
import { requireSupportedServer, SERVER_SETTINGS, type ServerSettings } from './supported-server.js';

/** Any two processes that change one database's schema take this advisory lock; the number only has to be ours. */
const MIGRATION_LOCK = 7_163_511_201;
const CONNECTION_DEADLINE_MS = 10_000;
const LOCK_POLL_MS = 100;

/**
 * Brings the schema up to date. Of several processes that start together one migrates and the others wait; a
 * finished schema costs one query.
 *
 * @param requirements looked at before; what they throw is thrown, and nothing is changed
 * @returns names of the migrations that ran
 * @throws DatabaseUnsupportedError before anything is changed
 */
export function migrate(
  url: string,
  schema: Schema,
  requirements: (dataSource: DataSource) => Promise<void> = async () => undefined,
): Promise<string[]> {
  return underMigrationLock(url, () =>
    withDataSource(url, schema, async (dataSource) => {
      await requirements(dataSource);
      return (await dataSource.runMigrations()).map(({ name }) => name);
    }),
  );
}

/**
 * Undoes the last migration.
 *
 * @returns its name; undefined when none has run
 */
export function revertLastMigration(url: string, schema: Schema): Promise<string | undefined> {
  return underMigrationLock(url, () =>
    withDataSource(url, schema, async (dataSource) => {
      const last = await lastMigration(dataSource);
      const undone = dataSource.migrations.find(({ name }) => name === last);
      // TypeORM asks a migration whether it wants a transaction on its way up only.
      if (last !== undefined)
        await dataSource.undoLastMigration(undone?.transaction === false ? { transaction: 'none' } : {});
      return last;
    }),
  );
}

async function lastMigration(dataSource: { query<T>(sql: string): Promise<T> }): Promise<string | undefined> {
  const [table] = await dataSource.query<{ exists: boolean }[]>(
    `SELECT to_regclass('migrations') IS NOT NULL AS exists`,
  );
  if (!table?.exists) return undefined;
  const [last] = await dataSource.query<{ name: string }[]>('SELECT name FROM migrations ORDER BY id DESC LIMIT 1');
  return last?.name;
}

/**
 * Asked for again and again: one that waits inside a statement holds a snapshot, for whose end an index that is built
 * CONCURRENTLY waits, while we wait for whoever builds it.
 */
async function takeLock(client: pg.Client): Promise<void> {
  for (;;) {
    const { rows } = await client.query<{ taken: boolean }>('SELECT pg_try_advisory_lock($1) AS taken', [
      MIGRATION_LOCK,
    ]);
    if (rows[0]?.taken) return;
    await delay(LOCK_POLL_MS);
  }
}

/** On a connection of its own: a session lock outlives the migrations' transactions and goes when we do. */
async function underMigrationLock<T>(url: string, work: () => Promise<T>): Promise<T> {
  const lock = new pg.Client({ connectionString: url, connectionTimeoutMillis: CONNECTION_DEADLINE_MS });
  await lock.connect();
  try {
    const { rows } = await lock.query<ServerSettings>(SERVER_SETTINGS);
    const [server] = rows;
    if (server === undefined) throw new Error('PostgreSQL did not say what it is');
    requireSupportedServer(server);
    await takeLock(lock);
    return await work();
  } finally {
    await lock.end();
  }
}

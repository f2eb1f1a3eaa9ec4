import pg from 'pg';
import { createDataSource } from '../../platform/database/index.js';
import { CliError } from '../cli.error.js';

/** The lock under which `migrate` of platform/database brings the schema up to date. */
const MIGRATION_LOCK = 7_163_511_201;
const CONNECTION_DEADLINE_MS = 10_000;

/**
 * Undoes the last migration, while no other process migrates.
 *
 * @returns its name, undefined when none has run
 * @throws CliError when it cannot be undone; the schema is as before
 */
export async function revertLast(url: string): Promise<string | undefined> {
  const lock = new pg.Client({ connectionString: url, connectionTimeoutMillis: CONNECTION_DEADLINE_MS });
  await lock.connect();
  try {
    await lock.query('SELECT pg_advisory_lock($1)', [MIGRATION_LOCK]);
    const last = await lastMigration(lock);
    if (last !== undefined) await undo(url, last);
    return last;
  } finally {
    await lock.end();
  }
}

async function lastMigration(client: pg.Client): Promise<string | undefined> {
  const { rows } = await client.query<{ found: boolean }>(`SELECT to_regclass('migrations') IS NOT NULL AS found`);
  if (!rows[0]?.found) return undefined;
  const last = await client.query<{ name: string }>('SELECT name FROM migrations ORDER BY id DESC LIMIT 1');
  return last.rows[0]?.name;
}

async function undo(url: string, name: string): Promise<void> {
  const pool = { poolSize: 2, poolTimeoutMs: CONNECTION_DEADLINE_MS, statementTimeoutMs: 0 };
  const dataSource = createDataSource(url, [], pool);
  await dataSource.initialize();
  try {
    await dataSource.undoLastMigration();
  } catch (error) {
    throw new CliError(`${name} cannot be reverted: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  } finally {
    await dataSource.destroy();
  }
}

import { Client } from 'pg';
import { connectionUrl, NAME, type ClusterSettings } from './cluster-settings.js';

/** `refused`: nobody listens, or not yet. `stranger`: a PostgreSQL answers and does not know our password. */
export type Answer = 'ready' | 'refused' | 'stranger';

/** SQLSTATE invalid_password and invalid_authorization_specification. */
const WRONG_CREDENTIALS = new Set(['28P01', '28000']);

export async function probe(settings: ClusterSettings, database: string): Promise<Answer> {
  try {
    await query(settings, database, 'SELECT 1');
    return 'ready';
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    return WRONG_CREDENTIALS.has(code) ? 'stranger' : 'refused';
  }
}

/** Creates the `holdfast` database unless it is there: a crash can come between initdb and this. */
export async function createDatabase(settings: ClusterSettings): Promise<void> {
  const found = await query(settings, 'postgres', `SELECT 1 FROM pg_database WHERE datname = '${NAME}'`);
  if (found === 0) await query(settings, 'postgres', `CREATE DATABASE ${NAME}`);
}

async function query(settings: ClusterSettings, database: string, sql: string): Promise<number> {
  const client = new Client({
    connectionString: connectionUrl(settings, database),
    connectionTimeoutMillis: 3_000,
    query_timeout: 30_000,
  });
  // A connection that dies outside a query would otherwise end the process.
  client.on('error', () => undefined);
  try {
    await client.connect();
    return (await client.query(sql)).rowCount ?? 0;
  } finally {
    await client.end().catch(() => undefined);
  }
}

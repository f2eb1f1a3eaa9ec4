import { randomBytes } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { loadConfig } from '../../config/index.js';
import { CliError } from '../cli.error.js';
import { withDatabase } from '../with-database.js';

const INSUFFICIENT_PRIVILEGE = '42501';

/**
 * Hands an empty database to `work` and removes it: one more on the server of `DATABASE_URL`, or without one an embedded
 * PostgreSQL in a folder of its own, so that the data of `DATA_DIR` is not touched.
 *
 * @throws CliError when the role of `DATABASE_URL` may not create databases
 */
export async function withScratchDatabase<T>(
  environment: NodeJS.ProcessEnv,
  work: (url: string) => Promise<T>,
): Promise<T> {
  const dataDir = mkdtempSync(join(tmpdir(), 'holdfast-scratch-'));
  // As root the embedded PostgreSQL runs as another user, who must pass through.
  chmodSync(dataDir, 0o755);
  try {
    return await withDatabase(loadConfig({ ...environment, DATA_DIR: dataDir }), async (server) => {
      const name = `holdfast_scratch_${randomBytes(6).toString('hex')}`;
      await execute(server, `CREATE DATABASE ${name}`);
      try {
        return await work(databaseUrl(server, name));
      } finally {
        await execute(server, `DROP DATABASE ${name} WITH (FORCE)`);
      }
    });
  } finally {
    rmSync(dataDir, { recursive: true, force: true });
  }
}

async function execute(url: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  try {
    await client.connect();
    await client.query(sql);
  } catch (error) {
    if (error instanceof pg.DatabaseError && error.code === INSUFFICIENT_PRIVILEGE) {
      throw new CliError('The role of DATABASE_URL may not create databases, and this needs one to try things in.', {
        cause: error,
      });
    }
    throw error;
  } finally {
    await client.end();
  }
}

function databaseUrl(server: string, name: string): string {
  const url = new URL(server);
  url.pathname = `/${name}`;
  return url.href;
}

import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { checkMigrations } from '../../src/cli/migrate/check.js';
import { MIGRATIONS } from '../../src/migrations/index.js';
import { SCHEMA } from '../../src/schema.js';
import { migrate } from '../../src/platform/database/index.js';
import { databaseUrl, execute, type TestDatabase } from '../support/database.js';
import { startServer, type TestServer } from '../support/server.js';
import { sql } from '../support/sql.js';

const NAMES = MIGRATIONS.map(({ name }) => name);

/** Not a clone of the template: nothing is in it. */
async function createEmptyDatabase(): Promise<TestDatabase> {
  const server = inject('postgresUrl');
  const name = `empty_${randomBytes(6).toString('hex')}`;
  await execute(server, `CREATE DATABASE ${name}`);
  return {
    url: databaseUrl(server, name),
    drop: () => execute(server, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`),
  };
}

async function ranOn(url: string): Promise<string[]> {
  return (await sql<{ name: string }>(url, 'SELECT name FROM migrations ORDER BY id')).map(({ name }) => name);
}

describe('migrations', () => {
  let database: TestDatabase;
  let servers: TestServer[];

  beforeAll(async () => {
    database = await createEmptyDatabase();
    const start = () => startServer({ env: { DATABASE_URL: database.url } });
    servers = await Promise.all([start(), start()]);
  });

  afterAll(async () => {
    await Promise.all(servers?.map((server) => server.kill('SIGKILL')) ?? []);
    await database?.drop();
  });

  it('run once when two servers start at the same moment on an empty database, and both get ready', async () => {
    expect(await ranOn(database.url)).toEqual(NAMES);
    const told = servers.flatMap((server) => server.logs().filter(({ msg }) => msg.startsWith('Migrated the schema')));
    expect(told).toHaveLength(1);
  });

  it('make a server unready while one of its own is missing, and not when there is one it does not know', async () => {
    const readiness = async () => {
      const response = await fetch(`${servers[0]!.url}/health/ready`);
      return { status: response.status, ...((await response.json()) as object) };
    };
    await sql(
      database.url,
      `INSERT INTO migrations (timestamp, name) VALUES (9999999999999, 'OfANewerRelease9999999999999')`,
    );
    expect(await readiness()).toMatchObject({ status: 'ready', checks: { migrations: 'done' } });
    await sql(database.url, 'DELETE FROM migrations WHERE name = $1', [NAMES.at(-1)]);
    expect(await readiness()).toMatchObject({ status: 'unavailable', checks: { migrations: 'pending' } });
  });

  it('run once between four callers', async () => {
    const empty = await createEmptyDatabase();
    try {
      const ran = await Promise.all(Array.from({ length: 4 }, () => migrate(empty.url, SCHEMA)));
      expect(ran.filter((names) => names.length > 0)).toEqual([NAMES]);
      expect(await ranOn(empty.url)).toEqual(NAMES);
      expect(await migrate(empty.url, SCHEMA)).toEqual([]);
    } finally {
      await empty.drop();
    }
  });

  it('make what the entities say, and can each be undone and run again to the same schema', async () => {
    const { migrations, problems } = await checkMigrations({ DATABASE_URL: inject('postgresUrl') });
    expect(problems).toEqual([]);
    expect(migrations).toBe(NAMES.length);
  });
});

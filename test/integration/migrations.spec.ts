import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { checkMigrations } from '../../src/cli/migrate/check.js';
import { ComputeRawPayload1795248011000 } from '../../migrations/1795248011000-ComputeRawPayload.js';
import { MakeIdempotencyKeysUnique1795248012500 } from '../../migrations/1795248012500-MakeIdempotencyKeysUnique.js';
import { MIGRATIONS } from '../../migrations/index.js';
import { SCHEMA } from '../../src/schema.js';
import { DatabaseUnsupportedError, migrate, revertLastMigration } from '../../src/platform/database/index.js';
import { databaseUrl, execute, type TestDatabase, testDatabaseUrl } from '../support/database.js';
import { startServer, type TestServer } from '../support/server.js';
import { sql } from '../support/sql.js';

const NAMES = MIGRATIONS.map(({ name }) => name);

/** Not a clone of the template: nothing is in it. */
async function createEmptyDatabase(options = ''): Promise<TestDatabase> {
  const server = testDatabaseUrl();
  const name = `empty_${randomBytes(6).toString('hex')}`;
  await execute(server, `CREATE DATABASE ${name} ${options}`);
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
    const { migrations, problems } = await checkMigrations({ DATABASE_URL: testDatabaseUrl() });
    expect(problems).toEqual([]);
    expect(migrations).toBe(NAMES.length);
  });

  it('are not begun in a database that cannot hold every character', async () => {
    const ascii = await createEmptyDatabase(`TEMPLATE template0 ENCODING 'SQL_ASCII' LOCALE_PROVIDER libc LOCALE 'C'`);
    try {
      await expect(migrate(ascii.url, SCHEMA)).rejects.toThrow(DatabaseUnsupportedError);
      expect(await sql(ascii.url, `SELECT to_regclass('migrations') AS migrations`)).toEqual([{ migrations: null }]);
    } finally {
      await ascii.drop();
    }
  });
});

describe('ComputeRawPayload', () => {
  const before = MIGRATIONS.slice(0, MIGRATIONS.indexOf(ComputeRawPayload1795248011000));
  const withIt = { entities: [], migrations: [...before, ComputeRawPayload1795248011000] };
  const PAYLOADS = 'SELECT event_id, raw_payload FROM webhook_events ORDER BY event_id';

  const insert = (url: string, id: string, body: string, columns: string, values: string) =>
    sql(
      url,
      `INSERT INTO webhook_events (
         id, source, provider, idempotency_key, event_id, event_type, status, raw_body, metadata, payload_hash, ${columns}
       )
       SELECT gen_random_uuid(), 'stripe', 'stripe', $1, $1, 'x', 'IGNORED', convert_to($2, 'UTF8'), '{}', '', ${values}`,
      [id, body],
    );

  it('lets each event say the same after it, after its reversal and after the next time', async () => {
    const { url, drop } = await createEmptyDatabase();
    try {
      await migrate(url, { entities: [], migrations: before });
      const body = String.raw`{"name":"Zo\u00eb","path":"C:\\\\temp\"\n","n":12345678901234567890}`;
      await insert(url, '1 copied', body, 'raw_payload', '$2::jsonb');
      await insert(url, '2 copied', '{"name":"Zoë"}', 'raw_payload', '$2::jsonb');
      await insert(url, '3 refused', String.raw`{"a":"\u0000"}`, 'raw_payload', 'NULL');
      const old = await sql<{ raw_payload: unknown }>(url, PAYLOADS);
      expect(old.map(({ raw_payload }) => raw_payload)).toEqual([JSON.parse(body), { name: 'Zoë' }, null]);
      const file = `SELECT pg_relation_filenode('webhook_events') AS file, max(xmin::text::bigint) AS xmin FROM webhook_events`;
      const untouched = await sql(url, file);

      await migrate(url, withIt);
      expect(await sql(url, PAYLOADS)).toEqual(old);
      expect(await sql(url, file)).toEqual(untouched);

      await insert(url, '4 computed', body, 'payload_computed', 'true');
      await insert(url, '5 refused', String.raw`{"a":"\ud800"}`, 'payload_computed', 'false');
      const all = await sql<{ raw_payload: unknown }>(url, PAYLOADS);
      expect(all.slice(3).map(({ raw_payload }) => raw_payload)).toEqual([JSON.parse(body), null]);

      expect(await revertLastMigration(url, withIt)).toBe(NAMES[before.length]);
      expect(await sql(url, PAYLOADS)).toEqual(all);
      await migrate(url, withIt);
      expect(await sql(url, PAYLOADS)).toEqual(all);
    } finally {
      await drop();
    }
  });
});

describe('MakeIdempotencyKeysUnique', () => {
  const before = MIGRATIONS.slice(0, MIGRATIONS.indexOf(MakeIdempotencyKeysUnique1795248012500));
  const withIt = { entities: [], migrations: [...before, MakeIdempotencyKeysUnique1795248012500] };
  const KEYS = 'SELECT event_id, idempotency_key FROM webhook_events ORDER BY id';

  const insert = (url: string, n: number, source: string, eventId: string, type: string) =>
    sql(
      url,
      `INSERT INTO webhook_events (
         id, source, provider, idempotency_key, event_id, event_type, status, raw_body, metadata, payload_hash
       ) VALUES ($1, $2, 'hmac', $3::text || '_' || $4::text, $3, $4, 'IGNORED', '', '{}', '')`,
      [`00000000-0000-7000-8000-00000000000${n}`, source, eventId, type],
    );

  it('gives events whose keys read the same keys of their own, builds what was left half built, and can be undone', async () => {
    const { url, drop } = await createEmptyDatabase();
    try {
      await migrate(url, { entities: [], migrations: before });
      await insert(url, 1, 'one', 'a', 'b_c');
      await insert(url, 2, 'one', 'a_b', 'c');
      await insert(url, 3, 'other', 'a_b', 'c');
      await insert(url, 4, 'one', 'plain', 'x');
      const name = 'webhook_events_idempotency_key_source_key';
      const build = `CREATE UNIQUE INDEX CONCURRENTLY ${name} ON webhook_events (idempotency_key, source)`;
      await expect(sql(url, build)).rejects.toThrow('could not create unique index');

      await migrate(url, withIt);
      const keys = [
        { event_id: 'a', idempotency_key: 'a_b_c' },
        { event_id: 'a_b', idempotency_key: 'a_b_c:00000000-0000-7000-8000-000000000002' },
        { event_id: 'a_b', idempotency_key: 'a_b_c' },
        { event_id: 'plain', idempotency_key: 'plain_x' },
      ];
      expect(await sql(url, KEYS)).toEqual(keys);
      const indexes = `SELECT indexrelid::regclass::text AS name, indisunique AND indisvalid AS holds FROM pg_index
                       WHERE indexrelid::regclass::text LIKE 'webhook_events_idempotency_key%'`;
      expect(await sql(url, indexes)).toEqual([{ name, holds: true }]);

      expect(await revertLastMigration(url, withIt)).toBe('MakeIdempotencyKeysUnique1795248012500');
      expect(await sql(url, indexes)).toEqual([{ name: 'webhook_events_idempotency_key_idx', holds: false }]);
      await migrate(url, withIt);
      expect(await sql(url, KEYS)).toEqual(keys);
    } finally {
      await drop();
    }
  });
});

import { randomBytes } from 'node:crypto';
import { Pool, type QueryResultRow } from 'pg';
import { createTestDatabase } from './database.js';
import { type Answer, answerOf } from './http-answer.js';
import { RATE_LIMITS_OFF } from './rate-limits-off.js';
import { startServer, type TestServer } from './server.js';

const SCHEMA = `
  CREATE TABLE idempotent_effects (
    n bigint GENERATED ALWAYS AS IDENTITY,
    key text,
    value text,
    resumed boolean,
    lost boolean NOT NULL DEFAULT false,
    pid integer NOT NULL
  );
  CREATE TABLE gates (name text)`;

export interface IdempotentEffect {
  n: string;
  key: string | null;
  value: string | null;
  resumed: boolean | null;
  lost: boolean;
  pid: number;
}

export const GUARDED = '/test/guarded';
export const COMMITTED = '/test/committed/here';

export function newKey(): string {
  return randomBytes(16).toString('hex');
}

/** Servers with the routes of `idempotent-server.ts` over one database. */
export class IdempotentCluster {
  private readonly servers: TestServer[] = [];

  private constructor(
    private readonly databaseUrl: string,
    private readonly pool: Pool,
    private readonly drop: () => Promise<void>,
  ) {}

  static async create(): Promise<IdempotentCluster> {
    const database = await createTestDatabase();
    const pool = new Pool({ connectionString: database.url, max: 4 });
    await pool.query(SCHEMA);
    return new IdempotentCluster(database.url, pool, () => database.drop());
  }

  async start(env: Record<string, string> = {}): Promise<TestServer> {
    const server = await startServer({
      env: { DATABASE_URL: this.databaseUrl, ...RATE_LIMITS_OFF, ...env },
      entry: 'test/support/idempotent-server.ts',
    });
    this.servers.push(server);
    return server;
  }

  async end(): Promise<void> {
    await Promise.all(this.servers.map((server) => server.kill('SIGKILL')));
    await this.pool.end();
    await this.drop();
  }

  async query<Row extends QueryResultRow>(sql: string, parameters: unknown[] = []): Promise<Row[]> {
    return (await this.pool.query<Row>(sql, parameters)).rows;
  }

  effectsOf(key: string): Promise<IdempotentEffect[]> {
    return this.query<IdempotentEffect>('SELECT * FROM idempotent_effects WHERE key = $1 ORDER BY n', [key]);
  }

  async open(gate: string): Promise<void> {
    await this.query('INSERT INTO gates VALUES ($1)', [gate]);
  }

  /** As if the time to live had passed. */
  async expire(key: string): Promise<void> {
    await this.query('UPDATE idempotency_records SET expires_at = now() WHERE key = $1', [key]);
  }
}

/** @param body sent as it is when it is a text */
export async function post(
  server: TestServer,
  path: string,
  key: string | undefined,
  body: unknown = {},
  more: Record<string, string> = {},
): Promise<Answer> {
  const headers = {
    'content-type': 'application/json',
    ...(key !== undefined && { 'idempotency-key': key }),
    ...more,
  };
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return answerOf(await server.fetch(path, { method: 'POST', headers, body: text }));
}

export function isReplay({ headers }: Answer): boolean {
  return headers.get('idempotent-replayed') === 'true' && headers.get('x-idempotent-replay') === 'true';
}

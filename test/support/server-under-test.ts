import type { QueryResultRow } from 'pg';
import { afterAll, beforeAll, expect } from '@jest/globals';
import { createTestDatabase, type TestDatabase } from './database.js';
import { type Answer, call } from './http-answer.js';
import { startServer, type ServerOptions, type TestServer } from './server.js';
import { SECRET_VARIABLES, SECRETS } from './signing.js';
import { sql } from './sql.js';
import { waitFor } from './wait-for.js';
import { WebhookSender } from './webhook-sender.js';

/** A database and a server of the test file's own, with a source of every provider, and what a test needs to use them. */
export interface ServerUnderTest {
  readonly server: TestServer;
  readonly database: TestDatabase;
  readonly sender: WebhookSender;
  /** The JSON API with the admin key, or with `key`. */
  call(method: string, path: string, body?: unknown, key?: string): Promise<Answer>;
  sql<Row extends QueryResultRow>(text: string, parameters?: unknown[]): Promise<Row[]>;
  /** An event's detail once it is in that state. */
  eventIn(status: string, id: unknown): Promise<Record<string, unknown>>;
  /** Resolves once a line of the log has these fields: lines come through a pipe, some time after the answer. */
  logged(fields: Record<string, unknown>): Promise<unknown>;
  /** A new API key with these scopes. */
  keyWith(...scopes: string[]): Promise<string>;
}

/**
 * For the top of a test file. When its tests are over the audit log must still verify, the server must stop cleanly and
 * must have written no secret, whatever the tests did.
 */
export function serverUnderTest({ env = {}, entry }: Partial<ServerOptions> = {}): ServerUnderTest {
  let server: TestServer;
  let database: TestDatabase;

  beforeAll(async () => {
    database = await createTestDatabase();
    const all = { DATABASE_URL: database.url, ...SECRET_VARIABLES, ...env };
    server = await startServer({ env: all, ...(entry !== undefined && { entry }) });
  });

  afterAll(async () => {
    try {
      if (server && !server.hasExited) await expectGoodEnd(server);
    } finally {
      await server?.kill('SIGKILL');
      await database?.drop();
    }
  });

  return {
    get server() {
      return server;
    },
    get database() {
      return database;
    },
    get sender() {
      return new WebhookSender(server.url);
    },
    call: (method, path, body, key) => call(server, method, path, body, key),
    sql: (text, parameters) => sql(database.url, text, parameters),
    eventIn: (status, id) => eventIn(server, status, id),
    logged: (fields) =>
      waitFor(
        () => {
          expect(server.logs()).toContainEqual(expect.objectContaining(fields));
          return true;
        },
        { what: `a line in the log with ${JSON.stringify(fields)}` },
      ),
    keyWith: async (...scopes) => {
      const { status, body } = await call(server, 'POST', '/api/api-keys', { name: scopes[0], scopes });
      expect(status).toBe(201);
      return String(body['key']);
    },
  };
}

export function eventIn(server: TestServer, status: string, id: unknown): Promise<Record<string, unknown>> {
  let last: unknown;
  return waitFor(
    async () => {
      const { body } = await call(server, 'GET', `/api/webhook-events/${String(id)}`);
      last = body['status'];
      return last === status ? body : undefined;
    },
    { what: `event ${String(id)} to be ${status}` },
  ).catch((cause: unknown) => {
    throw new Error(`Event ${String(id)} is ${String(last)} and not ${status}`, { cause });
  });
}

async function expectGoodEnd(server: TestServer): Promise<void> {
  const { body } = await call(server, 'GET', '/api/audit/verify');
  expect(body).toMatchObject({ ok: true, firstBadLine: null });
  expect(await server.stop()).toBe(0);
  expectNoSecrets(server.output(), [server.adminKey]);
}

/** Neither the tests' signing secrets nor `more` are in the text. */
export function expectNoSecrets(text: string, more: readonly string[] = []): void {
  const lines = text.split('\n');
  for (const secret of [...Object.values(SECRETS), ...more]) {
    expect(lines.filter((line) => line.includes(secret))).toEqual([]);
  }
}

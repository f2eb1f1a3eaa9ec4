import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join, resolve } from 'node:path';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { SecretBox } from '../../src/platform/encryption/index.js';
import { PASSWORD } from '../support/account-client.js';
import { type Ended, runCommandLine } from '../support/command-line.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { call, expectProblem } from '../support/http-answer.js';
import { post } from '../support/idempotent-cluster.js';
import { MailFolder } from '../support/mail-folder.js';
import { JWT_SECRET, startServer, TestServer } from '../support/server.js';
import { SECRETS } from '../support/signing.js';
import { sql } from '../support/sql.js';
import { makeTempFolder, removeTempFolder } from '../support/temp-folder.js';
import { waitFor } from '../support/wait-for.js';
import { newEventId, WebhookSender } from '../support/webhook-sender.js';

const ROOT = resolve(import.meta.dirname, '../..');
const [FIRST, SECOND, OTHER] = ['a', 'b', 'c'].map((digit) => digit.repeat(64)) as [string, string, string];
const EMAIL = 'ann@example.com';
const OVERRIDE = `/api/email-limits/password-reset/${encodeURIComponent(EMAIL)}`;
const ONCE = 'an-api-key-once-and-not-twice';
const KEY = { name: 'once', scopes: ['webhooks:read'] };
const NOT_THE_ONE = /^ENCRYPTION_KEY is not the one this database is used with/;

let folder: string;
let database: TestDatabase;
let client: Client;
let server: TestServer;

beforeAll(async () => {
  folder = makeTempFolder('encryption-key');
  database = await createTestDatabase();
  client = new Client({ connectionString: database.url });
  await client.connect();
  // Nobody works here: a job that is asked for waits, sealed.
  server = await startServer({ env: environment(FIRST, { ROLE: 'api' }) });
  const source = { name: 'by-hand', provider: 'github', secret: 'a secret given through the API' };
  expect((await call(server, 'POST', '/api/webhook-sources', source)).status).toBe(201);
  expect((await post(server, '/api/api-keys', ONCE, KEY)).status).toBe(201);
  const register = { email: EMAIL, password: PASSWORD };
  expect((await call(server, 'POST', '/api/auth/register', register)).status).toBe(202);
  for (const email of [EMAIL, 'nobody@example.com']) {
    const path = `/api/email-limits/password-reset/${encodeURIComponent(email)}/override`;
    expect((await call(server, 'PUT', path, { limit: 7 })).status).toBe(200);
  }
}, 120_000);

afterAll(async () => {
  await server?.kill('SIGKILL');
  await client?.end();
  await database?.drop();
  removeTempFolder(folder);
});

function environment(ENCRYPTION_KEY: string, more: Record<string, string> = {}): Record<string, string> {
  return {
    DATABASE_URL: database.url,
    DATA_DIR: join(folder, 'data'),
    GITHUB_WEBHOOK_SECRET: SECRETS.github,
    ENCRYPTION_KEY,
    ...more,
  };
}

function holdfast(args: string[], key: string, more: Record<string, string> = {}): Promise<Ended> {
  return runCommandLine(args, { NODE_ENV: 'test', JWT_SECRET, ...environment(key, more) });
}

const rotate = (next: string, former: string, ...options: string[]) =>
  holdfast(['encryption', 'rotate', ...options], next, former === '' ? {} : { ENCRYPTION_KEY_PREVIOUS: former });

/** Everything a process with another key might have put its hands on. */
async function everything(): Promise<unknown> {
  const tables = ['webhook_sources', 'webhook_source_secrets', 'jobs', 'email_limits', 'secret_fingerprints'];
  const contents: unknown[] = [];
  for (const table of tables) contents.push((await client.query(`SELECT * FROM ${table} ORDER BY 1, 2`)).rows);
  return [...contents, (await client.query('SELECT count(*) FROM audit_log')).rows];
}

async function expectRefusedStart(env: Record<string, string>, text: RegExp): Promise<void> {
  const refused = TestServer.launch({ env });
  expect(await refused.exitCode()).toBe(1);
  const lines = refused.output().split('\n');
  const said = lines.filter((line) => line !== '' && !line.startsWith('{'));
  expect(said).toEqual([expect.stringMatching(text)]);
}

async function expectWebhooksTaken(): Promise<void> {
  const sender = new WebhookSender(server.url);
  const secrets = { '/webhooks/github': SECRETS.github, '/webhooks/by-hand': 'a secret given through the API' };
  for (const [path, secret] of Object.entries(secrets)) {
    const { status } = await sender.send('github', { zen: path }, { path, secret, id: newEventId() });
    expect({ path, status }).toEqual({ path, status: 200 });
  }
}

describe('Another ENCRYPTION_KEY', () => {
  it('starts neither alone nor as several processes, says so in one line, and changes nothing', async () => {
    const before = await everything();
    const starts: Record<string, string>[] = [{ ROLE: 'worker' }, { PROCESSES: '2' }];
    await Promise.all(starts.map((more) => expectRefusedStart(environment(OTHER, more), NOT_THE_ONE)));
    expect(await everything()).toEqual(before);
    await expectWebhooksTaken();
  });

  it('does not become that of a database from before keys were known either, when it opens nothing in it', async () => {
    const known = await client.query('DELETE FROM secret_fingerprints RETURNING *');
    const before = await everything();
    await expectRefusedStart(environment(OTHER), /^ENCRYPTION_KEY opens nothing of what is sealed in this database/);
    expect(await everything()).toEqual(before);
    for (const { name, fingerprint, since } of known.rows as Record<string, unknown>[]) {
      await client.query('INSERT INTO secret_fingerprints VALUES ($1, $2, $3)', [name, fingerprint, since]);
    }
  });

  it('serves no command that reads or writes with it, and those that do not are none of its business', async () => {
    const before = await everything();
    for (const args of [
      ['audit', 'verify'],
      ['send', 'github', '--source', 'by-hand', '--url', server.url],
    ]) {
      const { code, stderr } = await holdfast(args, OTHER);
      expect({ args, code, stderr }).toEqual({
        args,
        code: 1,
        stderr: expect.stringMatching(/^ENCRYPTION_KEY is not the one [^\n]*\n$/),
      });
    }
    expect(await everything()).toEqual(before);
    expect((await holdfast(['keys', 'list'], OTHER)).code).toBe(0);
    expect((await holdfast(['audit', 'verify'], FIRST)).code).toBe(0);
  });

  it('takes nobody’s place while servers run', async () => {
    const before = await everything();
    const { code, stderr } = await rotate(SECOND, FIRST);
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringMatching(/^Holdfast is running [^\n]*\n$/) });
    expect(await everything()).toEqual(before);
  });
});

describe('A rotation of ENCRYPTION_KEY', () => {
  it('says what is missing or wrong, and changes nothing', async () => {
    expect(await server.stop()).toBe(0);
    const before = await everything();
    for (const [asked, text] of [
      [rotate(SECOND, ''), /^Set ENCRYPTION_KEY_PREVIOUS to the key used until now/],
      [rotate(SECOND, 'short'), /^Set ENCRYPTION_KEY_PREVIOUS to the key used until now/],
      [rotate(SECOND, OTHER), /^ENCRYPTION_KEY_PREVIOUS is not the key this database is used with/],
      [rotate(FIRST, FIRST), /are the same key/],
      [rotate(SECOND, FIRST, '--lost'), /leave --lost out/],
    ] as const) {
      const { code, stderr } = await asked;
      expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringMatching(text) });
    }
    expect(await everything()).toEqual(before);
  });

  it('that is killed in the middle has not happened', async () => {
    const before = await everything();
    await client.query('BEGIN');
    // The jobs come after the secrets: those are sealed anew by then.
    const { rows } = await client.query(`SELECT id FROM jobs FOR UPDATE`);
    expect(rows).toHaveLength(1);
    const child = spawn(process.execPath, [join(ROOT, 'dist/src/cli/main.js'), 'encryption', 'rotate'], {
      env: {
        PATH: process.env['PATH'],
        NODE_ENV: 'test',
        JWT_SECRET,
        ...environment(SECOND),
        ENCRYPTION_KEY_PREVIOUS: FIRST,
      },
      stdio: 'ignore',
    });
    await waitFor(async () => (await sql(database.url, WAITING)).length > 0, {
      what: 'the rotation to wait for the job',
    });
    child.kill('SIGKILL');
    await once(child, 'close');
    await client.query('ROLLBACK');
    await waitFor(async () => (await sql(database.url, CONNECTED)).length === 0, { what: 'its connection to end' });
    expect(await everything()).toEqual(before);
  });

  it('carries everything over, says how much, and can be run again', async () => {
    await damage();
    expect(await rotate(SECOND, FIRST)).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(
        /^Sealed anew: 3; limits of e-mail addresses carried over: 1\nUnreadable, and left as they are: 1\. .*\nOverrides of e-mail limits lost, for addresses without an account: 1\. .*\nIn force: [0-9a-f]{8}\n$/,
      ),
    });
    const { rows } = await client.query(`SELECT actor, details FROM audit_log WHERE action = 'encryption_key.rotated'`);
    expect(rows).toMatchObject([{ actor: expect.stringMatching(/^cli:/), details: { resealed: 3, unreadable: 1 } }]);
    const after = await everything();
    expect(await rotate(SECOND, FIRST)).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^This key was in force already; sealed anew: 0\n/),
    });
    expect(await everything()).toEqual(after);
  });

  it('ends the former key', async () => {
    expect((await holdfast(['audit', 'verify'], FIRST)).stderr).toMatch(NOT_THE_ONE);
    expect((await rotate(FIRST, OTHER)).stderr).toMatch(/^ENCRYPTION_KEY_PREVIOUS is not the key/);
  });

  it('leaves the new key with sources, mails, limits and an audit log that work as before', async () => {
    server = await startServer({ env: environment(SECOND) });
    await expectWebhooksTaken();
    expect((await new MailFolder(join(folder, 'data')).next(EMAIL, 'verification')).token).not.toBe('');
    expect((await call(server, 'GET', OVERRIDE)).body).toMatchObject({ limit: 7, override: { limit: 7 } });
    // Neither done again, nor answered from what nobody can open any more.
    expectProblem(await post(server, '/api/api-keys', ONCE, KEY), 422, 'IDEMPOTENCY_KEY_REUSED');
    expect((await call(server, 'GET', '/api/audit/verify')).body).toMatchObject({ ok: true, firstBadLine: null });
  });

  it('leaves what could not be read, and accepts the secret of the environment that it had put out of force', async () => {
    const secrets = await client.query(
      `SELECT origin, expires_at IS NULL AS active FROM webhook_source_secrets WHERE source = 'github' ORDER BY created_at`,
    );
    expect(secrets.rows).toEqual([
      { origin: 'environment', active: false },
      { origin: 'environment', active: true },
      { origin: 'environment', active: true },
    ]);
    expect(server.logs()).toContainEqual(
      expect.objectContaining({
        level: 'warn',
        msg: expect.stringMatching(/"github" has a secret that cannot be read/),
      }),
    );
    expect(await server.stop()).toBe(0);
    // A start later there is nothing left to do; another JWT_SECRET is worth a word.
    server = await startServer({ env: environment(SECOND, { ROLE: 'api', JWT_SECRET: 'x'.repeat(32) }) });
    await expectWebhooksTaken();
    expect(server.logs().filter(({ level }) => level === 'warn')).toEqual([
      expect.objectContaining({ msg: expect.stringMatching(/^JWT_SECRET is another one than at the last start/) }),
    ]);
    expect((await client.query(`SELECT FROM webhook_source_secrets WHERE source = 'github'`)).rows).toHaveLength(3);
  });

  it('without the former key takes the new one all the same, and says what that costs', async () => {
    expect(await server.stop()).toBe(0);
    const { code, stdout } = await rotate(OTHER, '', '--lost');
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: expect.stringMatching(
        /Unreadable, and left as they are: 3\. Give each source its secret again.*\n.*lost.*: 1\. .*\nThe audit log does not verify/,
      ),
    });
    server = await startServer({ env: environment(OTHER, { ROLE: 'api' }) });
    const sender = new WebhookSender(server.url);
    expect((await sender.send('github', { zen: 'again' }, { id: newEventId() })).status).toBe(200);
    const lost = await sender.send(
      'github',
      { zen: 'lost' },
      { path: '/webhooks/by-hand', secret: 'a secret given through the API' },
    );
    expect(lost.status).toBe(401);
  });
});

const WAITING = `
  SELECT pid FROM pg_stat_activity
  WHERE datname = current_database() AND application_name = 'holdfast' AND wait_event_type = 'Lock'`;
const CONNECTED = `SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'holdfast'`;

/** What a server of an earlier version with a third key did: it took what it could not read for another secret. */
async function damage(): Promise<void> {
  const id = '0199d3a2-5e4c-7a10-9b7e-3f1c2d4e5f60';
  const place = `webhook_source_secrets:${id}`;
  const sealed = new SecretBox(Buffer.from(OTHER, 'hex')).seal(SECRETS.github, place);
  await client.query(`UPDATE webhook_source_secrets SET expires_at = now() WHERE source = 'github'`);
  await client.query(
    `INSERT INTO webhook_source_secrets (id, source, sealed, origin) VALUES ($1, 'github', $2, 'environment')`,
    [id, sealed],
  );
}

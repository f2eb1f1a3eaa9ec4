import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join, resolve } from 'node:path';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Ended, runCommandLine } from '../support/command-line.js';
import { createTestDatabase, databaseUrl, execute, type TestDatabase, testDatabaseUrl } from '../support/database.js';
import { EFFECT_SCHEMA } from '../support/effect-schema.js';
import { freePort } from '../support/free-port.js';
import { JWT_SECRET, startServer, type TestServer } from '../support/server.js';
import { makeTempFolder, removeTempFolder } from '../support/temp-folder.js';
import { waitFor } from '../support/wait-for.js';

const ROOT = resolve(import.meta.dirname, '../..');
const ENCRYPTION_KEY = 'c'.repeat(64);
const PROVIDERS = ['stripe', 'paystack', 'gorgias', 'shopify', 'standard', 'hmac'];
const OPERATOR = `cli:${userInfo().username}`;

let folder: string;
let database: TestDatabase;
let client: Client;
let server: TestServer;

function environment(): Record<string, string> {
  return {
    NODE_ENV: 'test',
    PORT: new URL(server.url).port,
    DATABASE_URL: database.url,
    ENCRYPTION_KEY,
    JWT_SECRET,
    DATA_DIR: join(folder, 'data'),
    HOLDFAST_API_KEY: server.adminKey,
  };
}

/** With the server's environment. */
function holdfast(args: readonly string[], env: Record<string, string> = {}): Promise<Ended> {
  return runCommandLine(args, { ...environment(), ...env });
}

/** The same by the built program, in a process of its own. */
async function built(args: readonly string[], env: Record<string, string> = {}, root = ROOT): Promise<Ended> {
  const child = spawn(process.execPath, [join(root, 'dist/src/cli/main.js'), ...args], {
    cwd: folder,
    env: { PATH: process.env['PATH'], ...environment(), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = { code: null, stdout: '', stderr: '' };
  child.stdout.on('data', (chunk: Buffer) => (ended.stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (ended.stderr += chunk.toString()));
  await once(child, 'close');
  return { ...ended, code: child.exitCode };
}

/** One line on standard error and exit code 1, and never a stack. */
function expectRefusal({ code, stderr }: Ended, text: string | RegExp): void {
  expect(stderr).toMatch(text);
  expect(stderr.trimEnd().split('\n')).toHaveLength(1);
  expect(code).toBe(1);
}

async function sql<Row extends object>(text: string, parameters: unknown[] = []): Promise<Row[]> {
  return (await client.query<Row>(text, parameters)).rows;
}

/** The answers in the output of `send`. */
function answersIn({ stdout }: Ended): Record<string, unknown>[] {
  return stdout
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

async function eventsOf(
  source: string,
): Promise<{ id: string; status: string; event_type: string; raw_body: Buffer }[]> {
  return sql('SELECT id, status, event_type, raw_body FROM webhook_events WHERE source = $1 ORDER BY id', [source]);
}

/** So that a test finds its own events. */
async function makeSource(name: string, settings: object): Promise<void> {
  const response = await server.fetch('/api/webhook-sources', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name, secret: 'whsec_of_the_command_line', rateLimitPerMinute: 0, ...settings }),
  });
  expect(response.status).toBe(201);
}

beforeAll(async () => {
  folder = makeTempFolder('cli');
  database = await createTestDatabase();
  client = new Client({ connectionString: database.url });
  await client.connect();
  await client.query(EFFECT_SCHEMA);
  server = await startServer({
    env: { DATABASE_URL: database.url, ENCRYPTION_KEY },
    entry: 'test/support/effect-server.ts',
  });
});

afterAll(async () => {
  await server?.stop();
  await client?.end();
  await database?.drop();
  removeTempFolder(folder);
});

describe('holdfast', () => {
  it('tells its version', async () => {
    const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string };
    expect(await built(['--version'])).toMatchObject({ code: 0, stdout: `${version}\n` });
  });

  it('refuses an unknown command, an unknown option and a bad environment in a few words', async () => {
    expectRefusal(await built(['frobnicate']), "unknown command 'frobnicate'");
    expectRefusal(await built(['events', 'list', '--frobnicate']), "unknown option '--frobnicate'");
    const { code, stderr } = await built(['events', 'list'], { PORT: 'http', LOG_LEVEL: 'loud' });
    expect(code).toBe(1);
    expect(stderr).toMatch(/PORT: .*\n.*LOG_LEVEL: /);
    expect(stderr).not.toMatch(/^ +at /m);
  });

  it('starts the server', async () => {
    const port = await freePort();
    const child = spawn(process.execPath, [join(ROOT, 'dist/src/cli/main.js'), 'start'], {
      env: { PATH: process.env['PATH'], DATABASE_URL: database.url, ENCRYPTION_KEY, PORT: String(port), ROLE: 'api' },
      cwd: folder,
      stdio: 'ignore',
    });
    try {
      await waitFor(async () => (await fetch(`http://127.0.0.1:${port}/health/ready`)).ok);
    } finally {
      child.kill('SIGTERM');
      await once(child, 'exit');
    }
    expect(child.exitCode).toBe(0);
  });
});

describe('access tokens', () => {
  it('are signed for a user, for a quarter of an hour unless told otherwise', async () => {
    const before = Date.now();
    const { code, stdout, stderr } = await holdfast(['token', 'create', '--user', 'ann']);
    expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringMatching(/^ey[\w-]+\.[\w-]+\.[\w-]+\n$/) });
    expect(stderr).toContain('"ann"');
    const until = new Date(/until (\S+):/.exec(stderr)?.[1] ?? '').getTime();
    expect(until - before).toBeGreaterThan(14 * 60_000);
    expect(until - before).toBeLessThan(16 * 60_000);
    const authorization = `Bearer ${stdout.trim()}`;
    const { status } = await server.fetch('/api/webhook-events', { headers: { authorization } });
    // Known, and not allowed; a token that is none is answered 401.
    expect(status).toBe(403);
  });

  it('are refused to a user that is none, and for longer than a day', async () => {
    expectRefusal(await holdfast(['token', 'create', '--user', 'ann b']), 'A user id has');
    expectRefusal(await holdfast(['token', 'create', '--user', 'ann', '--expires', '25h']), '24 hours');
    expectRefusal(
      await holdfast(['token', 'create', '--user', 'ann', '--expires', '2020-01-01T00:00:00Z']),
      'lives for 1 second',
    );
  });
});

describe('users', () => {
  it('are listed, found by address, and given a role and a subscription', async () => {
    for (const email of ['ann@example.com', 'ben@example.com']) {
      await sql(`INSERT INTO users (id, email) VALUES (gen_random_uuid(), $1)`, [email]);
    }
    const role = await holdfast(['users', 'role', 'Ann@Example.com', 'admin']);
    expect(role).toMatchObject({ code: 0, stdout: expect.stringMatching(/ann@example\.com +admin +free +\d{4}-/) });
    expect((await holdfast(['users', 'subscription', 'ann@example.com', 'pro'])).code).toBe(0);
    const found = await holdfast(['users', 'list', '--email', 'ann@example.com', '--json']);
    expect(JSON.parse(found.stdout)).toMatchObject([{ email: 'ann@example.com', role: 'admin', subscription: 'pro' }]);
    expect((await holdfast(['users', 'list'])).stdout).toMatch(/ben@example\.com +user +free/);
    const actors = await sql(`SELECT actor, action FROM audit_log WHERE subject LIKE 'user:%' ORDER BY id`);
    expect(actors).toEqual([
      { actor: OPERATOR, action: 'user.role_changed' },
      { actor: OPERATOR, action: 'user.subscription_changed' },
    ]);
  });

  it('are refused a role that is none; who has not registered is not made', async () => {
    expectRefusal(await holdfast(['users', 'role', 'ann@example.com', 'root']), 'user, operator, admin');
    expectRefusal(await holdfast(['users', 'role', 'ann', 'admin']), 'no e-mail address');
    expectRefusal(await holdfast(['users', 'role', 'zoe@example.com', 'admin']), 'POST /api/auth/register');
  });
});

describe('keys', () => {
  const tryKey = async (key: string) =>
    (await server.fetch('/api/webhook-events', { headers: { authorization: `Bearer ${key}` } })).status;

  it('are made, listed and revoked without the server knowing more than the database does', async () => {
    const created = await built(['keys', 'create', '--name', 'ci', '--scopes', 'webhooks:read,webhooks:write']);
    expect(created).toMatchObject({ code: 0, stdout: expect.stringMatching(/^hf_test_\w+\n$/) });
    const key = created.stdout.trim();
    expect(created.stderr).not.toContain(key);
    expect(await tryKey(key)).toBe(200);

    const listed = await holdfast(['keys', 'list', '--json']);
    const records = JSON.parse(listed.stdout) as { id: string; name: string; createdBy: string; scopes: string[] }[];
    const record = records.find(({ name }) => name === 'ci');
    expect(record).toMatchObject({ createdBy: OPERATOR, scopes: ['webhooks:read', 'webhooks:write'] });
    expect(listed.stdout).not.toContain(key);
    const id = record?.id ?? '';

    const revoked = await holdfast(['keys', 'revoke', id]);
    expect(revoked).toMatchObject({ code: 0, stdout: expect.stringContaining('"ci"') });
    await waitFor(async () => (await tryKey(key)) === 401);
    expect((await holdfast(['keys', 'list'])).stdout).toMatch(new RegExp(`${id} .* ci +revoked`));
    const audit = await sql('SELECT actor, action FROM audit_log WHERE subject = $1 ORDER BY id', [`api-key:${id}`]);
    expect(audit).toEqual([
      { actor: OPERATOR, action: 'api_key.created' },
      { actor: OPERATOR, action: 'api_key.revoked' },
    ]);
  });

  it('expire after a time from now, by the clock of the database', async () => {
    await holdfast(['keys', 'create', '--name', 'brief', '--scopes', 'admin', '--expires', '30d']);
    const [key] = await sql<{ days: number }>(
      `SELECT (extract(epoch FROM expires_at - created_at) / 86400)::float8 AS days FROM api_keys WHERE name = 'brief'`,
    );
    expect(key?.days).toBeCloseTo(30, 3);
  });

  it('are refused with a scope that is none, a time that is past, a name or an id that is none', async () => {
    const create = (name: string, scopes: string, ...more: string[]) =>
      holdfast(['keys', 'create', '--name', name, '--scopes', scopes, ...more]);
    const [scope, past, blank, nobody] = await Promise.all([
      create('x', 'admin,root'),
      create('x', 'admin', '--expires', '2020-01-01T00:00:00Z'),
      create(' ', 'admin'),
      holdfast(['keys', 'revoke', 'nobody']),
    ]);
    expectRefusal(scope, '"root" is not a scope');
    expectRefusal(past, 'must be in the future');
    expectRefusal(blank, '1 to 100 characters');
    expectRefusal(nobody, 'There is no API key with this id.');
    expect(await sql(`SELECT FROM api_keys WHERE name IN ('x', ' ')`)).toEqual([]);
  });

  it('say what to do when the database cannot be used', async () => {
    const nowhere = `postgres://127.0.0.1:${await freePort()}/x`;
    expectRefusal(await holdfast(['keys', 'list'], { DATABASE_URL: nowhere }), 'The database cannot be reached');
    const empty = databaseUrl(testDatabaseUrl(), 'template1');
    // A start that fails leaves its connections to the end of the process, which others may not wait for.
    expectRefusal(await built(['keys', 'list'], { DATABASE_URL: empty }), 'Run: npx holdfast migrate');
  });
});

describe('send', () => {
  it('makes the source it needs once, and the server processes the event', async () => {
    const first = await holdfast(['send', 'github', 'ping']);
    expect(first).toMatchObject({ code: 0, stderr: expect.stringContaining('There was no source "github"') });
    expect(first.stdout).toMatch(/^POST http:\/\/127\.0\.0\.1:\d+\/webhooks\/github\n200 OK in [\d.]+ ms\n\{/);
    const [answer] = answersIn(first);
    expect(answer).toMatchObject({ received: true, status: 'accepted' });
    await waitFor(async () => (await eventsOf('github'))[0]?.status === 'PROCESSED');
    expect((await holdfast(['send', 'github', 'ping'])).stderr).not.toContain('There was no source');
    expect(
      await sql('SELECT actor FROM audit_log WHERE action = $1 AND subject = $2', [
        'webhook_source.created',
        'webhook-source:github',
      ]),
    ).toEqual([{ actor: OPERATOR }]);
  });

  it('signs as every provider does', async () => {
    const sent = await Promise.all(PROVIDERS.map((provider) => holdfast(['send', provider])));
    expect(sent.flatMap(answersIn).map(({ status }) => status)).toEqual(PROVIDERS.map(() => 'accepted'));
    expect(sent.map(({ code }) => code)).toEqual(PROVIDERS.map(() => 0));
  });

  it('sends each event twice with --duplicate, and it is stored once', async () => {
    await makeSource('twice', { provider: 'stripe' });
    const one = await holdfast(['send', 'stripe', '--source', 'twice', '--duplicate']);
    expect(answersIn(one)).toMatchObject([{ status: 'accepted' }, { status: 'already_processed' }]);
    const many = await holdfast(['send', 'stripe', '--source', 'twice', '--duplicate', '--count', '30']);
    expect(many.stdout).toMatch(/^60 sent in .* per second\): 30 accepted, 30 already_processed, 0 errors; /);
    expect(many.stdout.trimEnd().split('\n')).toHaveLength(1);
    expect(many.code).toBe(0);
    expect(await eventsOf('twice')).toHaveLength(31);
    expect(await sql('SELECT FROM webhook_event_conflicts')).toEqual([]);
  });

  it('sends one event many times at once with --count and --id', async () => {
    await makeSource('same', { provider: 'stripe' });
    const args = ['send', 'stripe', '--source', 'same', '--id', 'evt_same', '--count', '50', '--concurrency', '50'];
    expect((await holdfast(args)).stdout).toContain(': 1 accepted, 49 already_processed, 0 errors');
    expect(await eventsOf('same')).toHaveLength(1);
    expect(await sql('SELECT FROM webhook_event_conflicts')).toEqual([]);
  });

  it.each([
    ['--stale', 400, 'WEBHOOK_TIMESTAMP_OUT_OF_TOLERANCE', 'in the past'],
    ['--future', 400, 'WEBHOOK_TIMESTAMP_OUT_OF_TOLERANCE', 'in the future'],
    ['--bad-signature', 401, 'WEBHOOK_SIGNATURE_INVALID', 'matches no active secret'],
  ])('has the server refuse what it sends with %s', async (flag, status, code, detail) => {
    const name = flag.slice(2);
    await makeSource(name, { provider: 'stripe' });
    const sent = await holdfast(['send', 'stripe', '--source', name, flag]);
    expect(sent.code).toBe(1);
    expect(answersIn(sent)).toMatchObject([{ status, code, detail: expect.stringContaining(detail) }]);
    expect(await eventsOf(name)).toEqual([]);
  });

  it('counts each kind of refusal', async () => {
    await makeSource('refusing', { provider: 'stripe' });
    const many = await holdfast(['send', 'stripe', '--source', 'refusing', '--bad-signature', '--count', '3']);
    const text = /0 accepted, 0 already_processed, 3 errors; .*\n {2}3 × 401 WEBHOOK_SIGNATURE_INVALID\n$/;
    expect(many).toMatchObject({ code: 1, stdout: expect.stringMatching(text) });
  });

  it('says so when a provider signs no time that could be stale', async () => {
    await makeSource('timeless', { provider: 'paystack' });
    expectRefusal(await holdfast(['send', 'paystack', '--source', 'timeless', '--stale']), 'paystack signs no time');
    expect(await eventsOf('timeless')).toEqual([]);
  });

  it('signs as an hmac source of its own kind wants it', async () => {
    const scheme = { template: '{timestamp}.{body}', encoding: 'base64', idPath: 'meta.id', typeHeader: 'X-Kind' };
    await makeSource('partner', { provider: 'hmac', scheme });
    expect((await holdfast(['send', 'hmac', 'order.paid', '--source', 'partner'])).code).toBe(0);
    expect(await eventsOf('partner')).toMatchObject([{ event_type: 'order.paid' }]);
    const stale = await holdfast(['send', 'hmac', '--source', 'partner', '--stale']);
    expect(answersIn(stale)).toMatchObject([{ code: 'WEBHOOK_TIMESTAMP_OUT_OF_TOLERANCE' }]);
  });

  it('sends the very bytes of a file', async () => {
    await makeSource('bytes', { provider: 'shopify' });
    const body = '{ "id": 9007199254740993,\r\n  "name": "Zoë" }\n';
    const path = join(folder, 'order.json');
    writeFileSync(path, body);
    const sent = await holdfast(['send', 'shopify', 'orders/paid', '--source', 'bytes', '--file', path]);
    expect(sent.code).toBe(0);
    const [event] = await eventsOf('bytes');
    expect(event?.raw_body.toString()).toBe(body);
    const shown = await holdfast(['events', 'show', event?.id ?? '']);
    expect(shown.stdout).toContain('"id": 9007199254740993,');
    expectRefusal(await holdfast(['send', 'shopify', '--file', join(folder, 'none')]), 'cannot be read');
  });

  it('takes the secret given, else that of the environment', async () => {
    await makeSource('stripe-eu', { provider: 'stripe', secret: 'whsec_given_by_hand' });
    const [given, wrong, fromEnvironment] = await Promise.all([
      holdfast(['send', 'stripe', '--source', 'stripe-eu', '--secret', 'whsec_given_by_hand']),
      holdfast(['send', 'stripe', '--source', 'stripe-eu', '--secret', 'whsec_of_somebody']),
      holdfast(['send', 'stripe'], { STRIPE_WEBHOOK_SECRET: 'whsec_of_somebody' }),
    ]);
    expect(given.code).toBe(0);
    expect([wrong, fromEnvironment].flatMap(answersIn)).toMatchObject([{ status: 401 }, { status: 401 }]);
  });

  it('says what is wrong when the source is another provider, its secret unreadable, or there is none to sign with', async () => {
    await makeSource('shop', { provider: 'shopify' });
    await makeSource('signed', { provider: 'standard', secret: `whpk_${Buffer.alloc(32, 1).toString('base64')}` });
    const [other, unreadable, publicKey, noName, remote] = await Promise.all([
      holdfast(['send', 'stripe', '--source', 'shop']),
      holdfast(['send', 'shopify', '--source', 'shop'], { ENCRYPTION_KEY: 'd'.repeat(64) }),
      holdfast(['send', 'standard', '--source', 'signed']),
      holdfast(['send', 'stripe', '--source', 'No Name']),
      holdfast(['send', 'stripe', '--url', 'http://holdfast.invalid']),
    ]);
    expectRefusal(other, '"shop" is a source of shopify');
    expectRefusal(unreadable, 'ENCRYPTION_KEY is not the one this database is used with');
    expectRefusal(publicKey, 'give the private one, --secret whsk_');
    expectRefusal(noName, 'is no name for a source');
    expectRefusal(remote, 'http://holdfast.invalid cannot be reached');
  });

  it('makes no source in production', async () => {
    const sent = await holdfast(['send', 'github', '--source', 'made-up'], { NODE_ENV: 'production' });
    expectRefusal(sent, 'There is no source "made-up". In production');
    expect(await sql(`SELECT FROM webhook_sources WHERE name = 'made-up'`)).toEqual([]);
  });

  it('says that there is no server', async () => {
    const PORT = String(await freePort());
    const message = `no server answers at http://127.0.0.1:${PORT}; start one with npm start`;
    expectRefusal(await holdfast(['send', 'github'], { PORT }), message);
    expectRefusal(await holdfast(['events', 'list'], { PORT }), message);
  });

  it('says that the server uses another database', async () => {
    const other = await createTestDatabase();
    try {
      const sent = await holdfast(['send', 'github', '--source', 'elsewhere'], { DATABASE_URL: other.url });
      expect(sent.stderr).toContain('The server uses another database than this command');
      expect(sent).toMatchObject({ code: 1, stdout: '' });
      expect(await unsealedLines(other.url)).toBe(1);
    } finally {
      await other.drop();
    }
  });
});

/** Sealing is for servers: a command writes its audit lines and leaves all others as they are. */
async function unsealedLines(url: string): Promise<number> {
  const other = new Client({ connectionString: url });
  await other.connect();
  const { rowCount } = await other.query('SELECT FROM audit_log WHERE hash IS NULL');
  await other.end();
  return rowCount ?? 0;
}

describe('sources list', () => {
  it('shows where webhooks come in, and no secret', async () => {
    await makeSource('listed', { provider: 'github', allowedIps: ['192.0.2.0/24'], secret: 'never-to-be-shown' });
    // A command does not rotate the server's secret because its shell has another one.
    const { code, stdout } = await holdfast(['sources', 'list'], { GITHUB_WEBHOOK_SECRET: 'of-another-server' });
    expect(code).toBe(0);
    expect(await sql(`SELECT FROM webhook_source_secrets WHERE source = 'github'`)).toHaveLength(1);
    expect(stdout).toMatch(/^listed +github +http:\/\/\S+\/webhooks\/listed +1 +api +async +none +192\.0\.2\.0\/24$/m);
    const json = await holdfast(['sources', 'list', '--json']);
    expect(JSON.parse(json.stdout)).toContainEqual(expect.objectContaining({ name: 'listed', provider: 'github' }));
    expect(stdout + json.stdout).not.toContain('never-to-be-shown');
  });
});

describe('events', () => {
  beforeAll(async () => {
    await makeSource('events', { provider: 'stripe' });
    expect((await holdfast(['send', 'stripe', 'test.permanent', '--source', 'events', '--count', '3'])).code).toBe(0);
    expect((await holdfast(['send', 'stripe', 'test.effect', '--source', 'events'])).code).toBe(0);
    await waitFor(async () => {
      const statuses = (await eventsOf('events')).map(({ status }) => status).toSorted();
      return String(statuses) === 'DEAD_LETTER,DEAD_LETTER,DEAD_LETTER,PROCESSED';
    });
  });

  it('are listed for people and for programs, narrowed and page by page', async () => {
    const { stdout } = await holdfast(['events', 'list', '--source', 'events', '--type', 'test.effect']);
    const [header, line, ...rest] = stdout.trimEnd().split('\n');
    expect(header).toMatch(/^RECEIVED +SOURCE +TYPE +STATUS +ATTEMPTS +ID +EVENT ID +ERROR$/);
    expect(line).toMatch(/^\S+Z +events +test\.effect +PROCESSED +1 +[0-9a-f-]{36} +evt_\w{24}$/);
    expect(rest).toEqual([]);

    const dead = ['events', 'list', '--source', 'events', '--status', 'dead_letter', '--limit', '2'];
    const first = await holdfast(dead);
    const cursor = /--cursor (\S+)/.exec(first.stderr)?.[1] ?? '';
    const second = await holdfast([...dead, '--cursor', cursor, '--json']);
    expect(JSON.parse(second.stdout)).toMatchObject({
      data: [{ error: expect.stringContaining('never again') }],
      nextCursor: null,
    });

    const none = await holdfast(['events', 'list', '--source', 'events', '--to', '2020-01-01T00:00:00Z']);
    expect(none).toMatchObject({ code: 0, stdout: '', stderr: 'No events.\n' });
    expectRefusal(await holdfast(['events', 'list', '--status', 'LOST']), 'status must be one of');
  });

  it('are shown with their payload and attempts', async () => {
    const event = (await eventsOf('events')).find(({ status }) => status === 'DEAD_LETTER');
    const shown = await holdfast(['events', 'show', event?.id ?? '']);
    expect(shown.stdout).toMatch(/^status +DEAD_LETTER$/m);
    expect(shown.stdout).toMatch(/^1 +failed +\S+Z +\d+ +\S+ .*never again$/m);
    expect(shown.stdout).toContain('\n  "type": "test.permanent"\n');
    const json = await holdfast(['events', 'show', event?.id ?? '', '--json']);
    expect(JSON.parse(json.stdout)).toMatchObject({ id: event?.id, headers: { 'stripe-signature': '[redacted]' } });
    expectRefusal(await holdfast(['events', 'show', '../health/live']), 'There is no such webhook event.');
  });

  it('run again, one of them', async () => {
    const event = (await eventsOf('events')).find(({ status }) => status === 'PROCESSED');
    const replayed = await holdfast(['events', 'replay', event?.id ?? '']);
    expect(replayed).toMatchObject({ code: 0, stdout: expect.stringContaining('runs again now') });
    await waitFor(async () => (await sql('SELECT FROM webhook_attempts WHERE event = $1', [event?.id])).length === 2);
  });

  it('run again, all that match, once somebody has counted them', async () => {
    const matching = ['events', 'replay', '--source', 'events', '--status', 'DEAD_LETTER'];
    const dead = async () =>
      sql<{ attempts: number }>(
        `SELECT attempts FROM webhook_events WHERE source = 'events' AND status = 'DEAD_LETTER'`,
      );
    const counted = await holdfast([...matching, '--dry-run']);
    expect(counted).toMatchObject({ code: 0, stdout: 'Events that match: 3. Nothing was replayed.\n' });
    expect(await dead()).toEqual([{ attempts: 1 }, { attempts: 1 }, { attempts: 1 }]);
    const replayed = await holdfast([...matching, '--rate', '100']);
    expect(replayed).toMatchObject({ code: 0, stdout: 'Events replayed: 3 of 3.\n' });
    await waitFor(async () => String((await dead()).map(({ attempts }) => attempts)) === '2,2,2');
  });

  it('run again only when it is said which', async () => {
    const which = 'either one id, or filters';
    expectRefusal(await holdfast(['events', 'replay']), which);
    expectRefusal(await holdfast(['events', 'replay', 'some-id', '--source', 'events']), which);
  });

  it('are shown to whoever has a key: of the variable, of the bootstrap, or of the first start', async () => {
    const list = (env: Record<string, string>) => holdfast(['events', 'list', '--limit', '1'], env);
    const wrong = 'hf_test_this_is_a_key_of_nobody_at_all';
    expectRefusal(await list({ HOLDFAST_API_KEY: wrong }), 'Is HOLDFAST_API_KEY the key of this server?');
    expect((await list({ HOLDFAST_API_KEY: '', BOOTSTRAP_API_KEY: server.adminKey })).code).toBe(0);
    expectRefusal(await list({ HOLDFAST_API_KEY: '' }), 'npx holdfast keys create');
    const DATA_DIR = join(folder, 'with-key');
    mkdirSync(DATA_DIR);
    writeFileSync(join(DATA_DIR, 'admin.key'), `${server.adminKey}\n`);
    expect((await list({ HOLDFAST_API_KEY: '', DATA_DIR })).code).toBe(0);
  });
});

describe('audit verify', () => {
  it('says that the log holds, and which line does not once one was changed', async () => {
    await waitFor(async () => (await sql('SELECT FROM audit_log WHERE hash IS NULL')).length === 0);
    const good = await built(['audit', 'verify']);
    expect(good).toMatchObject({ code: 0, stdout: expect.stringMatching(/^The audit log holds; lines: \d+, /) });

    await client.query('ALTER TABLE audit_log DISABLE TRIGGER USER');
    await client.query(`UPDATE audit_log SET actor = 'nobody' WHERE sequence = 2`);
    const bad = await holdfast(['audit', 'verify']);
    expect(bad).toMatchObject({ code: 1, stdout: expect.stringContaining('does not hold at line 2.') });
    const json = await holdfast(['audit', 'verify', '--json']);
    expect(json.code).toBe(1);
    expect(JSON.parse(json.stdout)).toMatchObject({ ok: false, firstBadLine: { sequence: 2 } });
  });
});

describe('openapi', () => {
  // Built: the document says what the compiler was told by comments and types.
  it('writes what the server shows, without a database', async () => {
    const shown: unknown = await (await server.fetch('/openapi.json')).json();
    const out = join(folder, 'openapi.json');
    const env = { DATABASE_URL: '', DATA_DIR: join(folder, 'untouched') };
    expect((await built(['openapi', '--out', out], env)).code).toBe(0);
    expect(JSON.parse(readFileSync(out, 'utf8'))).toEqual(shown);
    expect(JSON.parse((await built(['openapi', '--out', '-'], env)).stdout)).toEqual(shown);
    expect(readdirSync(folder)).not.toContain('untouched');
  });
});

describe('migrate', () => {
  const scratchDatabases = () => sql(`SELECT datname FROM pg_database WHERE datname ~ 'scratch'`);

  async function withEmptyDatabase(work: (env: { DATABASE_URL: string }) => Promise<void>): Promise<void> {
    const postgres = testDatabaseUrl();
    const name = `cli_${process.pid}`;
    await execute(postgres, `CREATE DATABASE ${name}`);
    try {
      await work({ DATABASE_URL: databaseUrl(postgres, name) });
    } finally {
      await execute(postgres, `DROP DATABASE ${name} WITH (FORCE)`);
    }
  }

  it('brings the schema up to date, tells what ran, and takes it back one by one', async () => {
    await withEmptyDatabase(async (env) => {
      const ran = (await holdfast(['migrate'], env)).stdout.trimEnd().split('\n');
      expect(ran.length).toBeGreaterThan(1);
      for (const line of ran) expect(line).toMatch(/^Ran \w+\d{13}$/);
      expect((await holdfast(['migrate'], env)).stdout).toBe('The schema is up to date.\n');
      // Two at once take turns: neither reverts what the other does.
      const [one, other] = await Promise.all([
        built(['migrate', '--revert'], env),
        built(['migrate', '--revert'], env),
      ]);
      expect([one.stdout, other.stdout].toSorted()).toEqual(
        ran
          .slice(-2)
          .map((line) => `${line.replace('Ran', 'Reverted')}\n`)
          .toSorted(),
      );
      for (const line of ran.slice(0, -2).toReversed()) {
        expect((await holdfast(['migrate', '--revert'], env)).stdout).toBe(`${line.replace('Ran', 'Reverted')}\n`);
      }
      expect((await holdfast(['migrate', '--revert'], env)).stdout).toBe('There is no migration to revert.\n');
    });
  });

  it('checks with nothing prepared: no database, and DATA_DIR left alone', async () => {
    const checked = await holdfast(['migrate', '--check'], { DATABASE_URL: '', DATA_DIR: join(folder, 'alone') });
    expect(checked).toMatchObject({ code: 0, stdout: expect.stringContaining('make what the entities say') });
    expect(readdirSync(folder)).not.toContain('alone');
  });

  it('prints the SQL by which entities and migrations differ, and writes it as a migration', async () => {
    const copy = copyOfTheBuild();
    changeFile(join(copy, 'dist/src/modules/api-keys/api-key.entity.js'), (text) =>
      text.replace(/^export \{ ApiKey \};/m, `Column({ type: 'text', nullable: true })(ApiKey.prototype, 'note');\n$&`),
    );
    const checked = await built(['migrate', '--check'], {}, copy);
    expect(checked).toMatchObject({
      code: 1,
      stderr: '',
      stdout: expect.stringContaining('ALTER TABLE "api_keys" ADD "note" text'),
    });

    const generated = await built(['migrate', '--generate', 'AddNotes'], {}, copy);
    expect(generated.code).toBe(0);
    const [, file = ''] = /Wrote (migrations\/\d{13}-AddNotes\.ts)/.exec(generated.stdout) ?? [];
    const className = `AddNotes${/\d{13}/.exec(file)?.[0]}`;
    expect(generated.stdout).toMatch(new RegExp(`import \\{ ${className} \\} .*\n.*, ${className}\\];`));
    const source = readFileSync(join(copy, file), 'utf8');
    expect(source).toContain(`export class ${className} implements MigrationInterface {`);
    expect(source).toContain('\n      ALTER TABLE api_keys ADD note text\n');
    expect(source).toContain('\n      ALTER TABLE api_keys DROP COLUMN note\n');
    expect(await scratchDatabases()).toEqual([]);
  });

  it('finds a migration that does not take back all it made', async () => {
    const copy = copyOfTheBuild();
    const [audit = ''] = readdirSync(join(copy, 'dist/migrations')).filter((name) =>
      name.endsWith('CreateAuditLog.js'),
    );
    changeFile(join(copy, 'dist/migrations', audit), (text) => text.replace(/^.*DROP FUNCTION.*\n/m, ''));
    const checked = await built(['migrate', '--check'], {}, copy);
    const found = /^These are left when every migration is reverted:\n {2}function .*audit_refuse_change/;
    expect(checked).toMatchObject({ code: 1, stdout: expect.stringMatching(found) });
    expect(await scratchDatabases()).toEqual([]);
  });

  it('writes nothing when there is nothing to write, and wants a name that names', async () => {
    const ended = await holdfast(['migrate', '--generate', 'AddNothing']);
    const stdout = expect.stringContaining('there is nothing to write');
    expect(ended).toMatchObject({ code: 0, stderr: '', stdout });
    expect(await scratchDatabases()).toEqual([]);
    expectRefusal(await holdfast(['migrate', '--generate', 'add-notes']), 'is not a name for a migration');
  });
});

/** dist/ and migrations to be changed at will, beside the packages of the original. */
function copyOfTheBuild(): string {
  const copy = join(folder, `copy-${readdirSync(folder).length}`);
  for (const path of ['dist', 'package.json', 'migrations'])
    cpSync(join(ROOT, path), join(copy, path), { recursive: true });
  symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'));
  return copy;
}

function changeFile(path: string, change: (text: string) => string): void {
  const text = readFileSync(path, 'utf8');
  const changed = change(text);
  expect(changed).not.toBe(text);
  writeFileSync(path, changed);
}

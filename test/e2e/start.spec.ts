import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { freePort } from '../support/free-port.js';
import { call } from '../support/http-answer.js';
import { TestServer } from '../support/server.js';
import { makeTempFolder, removeTempFolder } from '../support/temp-folder.js';

const root = resolve(import.meta.dirname, '../..');

let folder: string;
let database: TestDatabase;

beforeAll(async () => {
  folder = makeTempFolder('start');
  database = await createTestDatabase();
});
afterAll(async () => {
  removeTempFolder(folder);
  await database?.drop();
});

/** `root` may write anywhere; without these two capabilities it is held to the permissions like everybody else. */
const LIKE_A_USER = [
  '--bounding-set',
  '-dac_override,-dac_read_search',
  '--inh-caps',
  '-dac_override,-dac_read_search',
];

interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** Starts the server with nothing but `env` around it, and waits until it has ended. */
async function start(env: Record<string, string>, asUser = false): Promise<Ended> {
  const node = [process.execPath, 'dist/src/main.js'];
  const [command = '', ...args] = asUser && process.getuid?.() === 0 ? ['setpriv', ...LIKE_A_USER, ...node] : node;
  const child = spawn(command, args, {
    cwd: root,
    env: { PATH: process.env['PATH'], DATA_DIR: join(folder, 'data'), PORT: '0', ...env },
    timeout: 20_000,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  return { code: child.exitCode, stdout, stderr };
}

/** It ended with code 1, and all it said on standard error is one line. */
function expectOneLine({ code, stderr }: Ended): string {
  expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringMatching(/^[^\n]+\n$/) });
  expect(stderr).not.toMatch(/\bat .+:\d+:\d+|node:internal|Error:/);
  return stderr;
}

describe('A start that cannot be', () => {
  it('names the port that is taken, and how to take another', async () => {
    const port = await freePort();
    const other = createServer().listen(port, '127.0.0.1');
    await once(other, 'listening');
    try {
      const line = expectOneLine(await start({ PORT: String(port), DATABASE_URL: database.url }));
      expect(line).toMatch(new RegExp(`Port ${port} .*taken.*PORT=`));
    } finally {
      other.close();
    }
  });

  it('names an address that is not of this machine', async () => {
    const line = expectOneLine(await start({ HOST: '192.0.2.1', DATABASE_URL: database.url }));
    expect(line).toMatch(/HOST 192\.0\.2\.1/);
  });

  it('names a bad variable in one line', async () => {
    expect(expectOneLine(await start({ PORT: 'abc' }))).toBe(
      'The configuration is not valid: PORT: must be a whole number from 0 to 65535\n',
    );
  });

  it('names all bad variables at once, without the values of secrets', async () => {
    const { code, stderr } = await start({
      NODE_ENV: 'production',
      PORT: '70000',
      ROLE: 'boss',
      LOG_LEVEL: 'loud',
      DATABASE_URL: '',
      ENCRYPTION_KEY: 'not-hex-but-secret',
      BOOTSTRAP_API_KEY: 'hf_short-but-secret',
      STRIPE_WEBHOOK_SECRET: 'short',
      TRUSTED_PROXIES: '10.0.0.0/8, the-proxy',
      REDIS_URL: 'http://localhost',
      JWT_SECRET: 'too-short-but-secret',
      WEBHOOK_MAX_RETRIES: '-1',
      DB_POOL_SIZE: '1.5',
      BODY_LIMIT_BYTES: '1e999',
    });
    expect(code).toBe(1);
    const named = stderr.split('\n').map((line) => /^ {2}- ([A-Z_]+): \S/.exec(line)?.[1]);
    expect(new Set(named.filter((name) => name !== undefined))).toEqual(
      new Set([
        'PORT',
        'ROLE',
        'LOG_LEVEL',
        'DATABASE_URL',
        'ENCRYPTION_KEY',
        'BOOTSTRAP_API_KEY',
        'STRIPE_WEBHOOK_SECRET',
        'TRUSTED_PROXIES',
        'REDIS_URL',
        'JWT_SECRET',
        'WEBHOOK_MAX_RETRIES',
        'DB_POOL_SIZE',
        'BODY_LIMIT_BYTES',
      ]),
    );
    expect(stderr).not.toMatch(/but-secret|short/);
    expect(stderr).toContain('"the-proxy"');
  });

  it('names a data folder that is read-only', async () => {
    const readOnly = join(makeTempFolder('read-only'), 'data');
    const parent = resolve(readOnly, '..');
    chmodSync(parent, 0o555);
    try {
      const withoutKey = expectOneLine(await start({ DATA_DIR: readOnly, DATABASE_URL: database.url }, true));
      expect(withoutKey).toMatch(/DATA_DIR/);
      expect(withoutKey).toContain(readOnly);
      const secret = randomBytes(32).toString('hex');
      const withKeys = { DATA_DIR: readOnly, ENCRYPTION_KEY: secret, JWT_SECRET: secret };
      const embedded = expectOneLine(await start(withKeys, true));
      expect(embedded).toMatch(/DATA_DIR/);
      expect(embedded).toContain(readOnly);
    } finally {
      chmodSync(parent, 0o755);
      removeTempFolder(parent);
    }
  });

  it('names a data folder that is a file', async () => {
    const file = join(folder, 'a-file');
    writeFileSync(file, '');
    expect(expectOneLine(await start({ DATA_DIR: join(file, 'data') }))).toMatch(/DATA_DIR/);
  });

  it.each([
    ['ENCRYPTION_KEY', 'encryption.key'],
    ['JWT_SECRET', 'jwt.key'],
  ])('names a kept %s that was damaged, rather than making a new one', async (variable, file) => {
    const dataDir = makeTempFolder('key');
    writeFileSync(join(dataDir, file), 'half of it');
    const line = expectOneLine(await start({ DATA_DIR: dataDir, DATABASE_URL: database.url }));
    expect(line).toContain(`${variable}: ${join(dataDir, file)}`);
    expect(line).not.toContain('half of it');
    expect(readFileSync(join(dataDir, file), 'utf8')).toBe('half of it');
    removeTempFolder(dataDir);
  });

  it('refuses an even number of Redis servers, which has no more than half to spare', async () => {
    const two = 'redis://127.0.0.1:6379,redis://127.0.0.1:6380';
    expect(expectOneLine(await start({ REDIS_URL: two }))).toMatch(/REDIS_URL: .*odd number/);
  });

  it('refuses the embedded database, and a key of its own making, in production', async () => {
    const dataDir = join(folder, 'never-made');
    const { code, stderr } = await start({ NODE_ENV: 'production', DATA_DIR: dataDir });
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /- DATABASE_URL: .*production.*\n.*- ENCRYPTION_KEY: .*openssl rand -hex 32\n.*- JWT_SECRET: .*openssl/,
    );
    expect(existsSync(dataDir)).toBe(false);
    const secret = randomBytes(32).toString('hex');
    const line = expectOneLine(await start({ NODE_ENV: 'production', ENCRYPTION_KEY: secret, JWT_SECRET: secret }));
    expect(line).toMatch(/DATABASE_URL/);
  });

  it('names a database that is not there, does not exist or does not let us in', async () => {
    const port = await freePort();
    const nobody = await start({ DATABASE_URL: `postgres://holdfast:a-password@127.0.0.1:${port}/holdfast` });
    expect(expectOneLine(nobody)).toMatch(/DATABASE_URL.*PostgreSQL/);
    const missing = new URL(database.url);
    missing.pathname = '/no_such_database';
    const unknown = await start({ DATABASE_URL: missing.href });
    expect(expectOneLine(unknown)).toMatch(/DATABASE_URL.*no_such_database/);
    expect(nobody.stdout + nobody.stderr).not.toContain('a-password');
  });
});

describe('A first start', () => {
  it('makes an admin key, shows it once with where everything is, and keeps it for its owner only', async () => {
    const dataDir = makeTempFolder('first');
    const own = await createTestDatabase();
    const env = { NODE_ENV: 'development', DATABASE_URL: own.url, DATA_DIR: dataDir, BOOTSTRAP_API_KEY: '' };
    const server = TestServer.launch({ env });
    try {
      await server.untilReady();
      const [, key = ''] = /Admin key +(hf_\S+)/.exec(server.output()) ?? [];
      const withKey = () => call(server, 'GET', '/api/api-keys', undefined, key);
      expect((await withKey()).body['data']).toMatchObject([{ name: 'first admin', scopes: ['admin'] }]);
      const file = join(dataDir, 'admin.key');
      expect(readFileSync(file, 'utf8').trim()).toBe(key);
      expect(statSync(file).mode & 0o777).toBe(0o600);
      expect(server.output()).toContain(`${server.url}/docs`);
      expect(server.output()).toContain('npx holdfast send');
      for (const line of server.logs()) expect(JSON.stringify(line)).not.toContain(key);
      expect(await server.stop()).toBe(0);

      const second = TestServer.launch({ env });
      await second.untilReady();
      expect((await call(second, 'GET', '/api/api-keys', undefined, key)).body['data']).toHaveLength(1);
      expect(await second.stop()).toBe(0);
    } finally {
      await server.kill('SIGKILL');
      await own.drop();
      removeTempFolder(dataDir);
    }
  });

  it('in production makes no key behind the operator’s back', async () => {
    const own = await createTestDatabase();
    const server = TestServer.launch({ env: { NODE_ENV: 'production', DATABASE_URL: own.url, BOOTSTRAP_API_KEY: '' } });
    try {
      await server.untilReady();
      expect(server.output()).not.toMatch(/Admin key|hf_/);
      expect(await server.stop()).toBe(0);
    } finally {
      await server.kill('SIGKILL');
      await own.drop();
    }
  });

  it('says that each server counts limits for itself, where one runs on the database already', async () => {
    const own = await createTestDatabase();
    const env = { DATABASE_URL: own.url };
    const warned = (server: TestServer) => server.logs().some(({ msg }) => /each server counts for itself/.test(msg));
    const first = TestServer.launch({ env });
    const second = await first.untilReady().then(() => TestServer.launch({ env }));
    try {
      await second.untilReady();
      expect([warned(first), warned(second)]).toEqual([false, true]);
    } finally {
      await Promise.all([first.kill('SIGKILL'), second.kill('SIGKILL')]);
      await own.drop();
    }
  });

  it('with BOOTSTRAP_API_KEY knows that key, and does not bring it back once it is revoked', async () => {
    const own = await createTestDatabase();
    const key = `hf_live_${randomBytes(24).toString('hex')}`;
    const env = { DATABASE_URL: own.url, BOOTSTRAP_API_KEY: key };
    const first = TestServer.launch({ env });
    try {
      await first.untilReady();
      const { body } = await call(first, 'GET', '/api/api-keys');
      const [{ id } = { id: '' }] = body['data'] as { id: string }[];
      expect((await call(first, 'DELETE', `/api/api-keys/${id}`)).status).toBe(204);
      expect(await first.stop()).toBe(0);
      const second = TestServer.launch({ env });
      await second.untilReady();
      expect((await call(second, 'GET', '/api/api-keys')).status).toBe(401);
      expect(await second.stop()).toBe(0);
      expect(first.output() + second.output()).not.toContain(key);
    } finally {
      await first.kill('SIGKILL');
      await own.drop();
    }
  });
});

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  realpathSync,
} from 'node:fs';
import { rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Client } from 'pg';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { explainFileError } from './embedded-postgres.errors.js';
import { identifyProcess } from './process-ref.js';
import { startEmbeddedPostgres, type EmbeddedPostgres } from './index.js';

const onLinux = process.platform === 'linux' ? it : it.skip;
const asRoot = process.getuid?.() === 0 ? it : it.skip;

describe('startEmbeddedPostgres', () => {
  let folder = '';
  let lines: string[];
  let started: EmbeddedPostgres[] = [];
  let children: ChildProcess[];

  // After ctrl-C no afterEach has its turn, and PostgreSQL would outlive us.
  process.once('exit', () => {
    for (const { pid } of started) if (pid > 0 && identifyProcess(pid)) process.kill(pid, 'SIGKILL');
    if (folder) rmSync(folder, { recursive: true, force: true });
  });

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'holdfast-postgres-'));
    // As root PostgreSQL runs as another user, who must pass through.
    chmodSync(folder, 0o755);
    [lines, started, children] = [[], [], []];
  });

  afterEach(async () => {
    for (const child of children) child.kill('SIGKILL');
    await Promise.all(started.map((postgres) => postgres.stop()));
    started = [];
    for (const home of [join(folder, 'postgres'), join(folder, 'secret/.holdfast/postgres')]) {
      if (existsSync(home)) rmSync(realpathSync(home), { recursive: true, force: true });
    }
    rmSync(folder, { recursive: true, force: true });
  });

  async function start(dataDir = folder): Promise<EmbeddedPostgres> {
    const postgres = await startEmbeddedPostgres({ dataDir, log: (line) => lines.push(line) });
    started.push(postgres);
    return postgres;
  }

  /** Starts PostgreSQL in another process and resolves once that process has it. */
  async function startElsewhere(): Promise<ChildProcess> {
    const child = launchElsewhere();
    if (child.stdout) await once(child.stdout, 'data');
    return child;
  }

  function launchElsewhere(): ChildProcess {
    const module = pathToFileURL(join(import.meta.dirname, 'index.ts')).href;
    const script = `
      import { startEmbeddedPostgres } from '${module}';
      await startEmbeddedPostgres({ dataDir: '${folder}' });
      console.log('started');
      setInterval(() => {}, 1000);`;
    const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    children.push(child);
    return child;
  }

  async function kill(child: ChildProcess): Promise<void> {
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  }

  it('serves a durable UTF-8 database by password, and only on 127.0.0.1', async () => {
    const { url, port, pid, owned } = await start();
    expect({ owned, port: new URL(url).port, host: new URL(url).hostname }).toEqual({
      owned: true,
      port: String(port),
      host: '127.0.0.1',
    });
    const settings = await ask(
      url,
      `SELECT name, setting FROM pg_settings WHERE name IN ('fsync', 'synchronous_commit', 'full_page_writes',
        'listen_addresses', 'unix_socket_directories', 'data_checksums', 'max_connections', 'server_encoding')`,
    );
    expect(Object.fromEntries(settings.map(({ name, setting }) => [name, setting]))).toEqual({
      fsync: 'on',
      synchronous_commit: 'on',
      full_page_writes: 'on',
      data_checksums: 'on',
      listen_addresses: '127.0.0.1',
      unix_socket_directories: '',
      max_connections: '200',
      server_encoding: 'UTF8',
    });
    expect(await ask(url, `SELECT lower('ÄÖÜ') AS lower, current_database() AS name`)).toEqual([
      { lower: 'äöü', name: 'holdfast' },
    ]);
    await expect(ask(url.replace(/:[^:@]+@/, ':wrong@'), 'SELECT 1')).rejects.toMatchObject({ code: '28P01' });
    expect(statSync(join(folder, 'postgres.json')).mode & 0o777).toBe(0o600);
    expect(environmentOf(pid)).not.toContain('VITEST');
  });

  it('keeps data, port and password over a restart', async () => {
    const first = await start();
    await ask(first.url, 'CREATE TABLE kept AS SELECT 42 AS answer');
    await first.stop();
    await expect(ask(first.url, 'SELECT 1')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    const second = await start();
    expect(second.url).toBe(first.url);
    expect(await ask(second.url, 'SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
  });

  it('takes another port when its own was taken meanwhile', async () => {
    const first = await start();
    await first.stop();
    const squatter = createServer().listen(first.port, '127.0.0.1');
    await once(squatter, 'listening');
    const second = await start();
    expect(second.port).not.toBe(first.port);
    expect(await ask(second.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
    squatter.close();
  });

  it('brings PostgreSQL back on the same port after kill -9, with everything that was committed', async () => {
    const postgres = await start();
    const before = postgres.pid;
    await ask(postgres.url, 'CREATE TABLE kept AS SELECT 42 AS answer');
    const busy = ask(postgres.url, 'SELECT pg_sleep(60)');
    const cut = expect(busy).rejects.toThrow();
    process.kill(before, 'SIGKILL');
    await cut;
    expect(await eventually(() => ask(postgres.url, 'SELECT answer FROM kept'))).toEqual([{ answer: 42 }]);
    await eventually(() => expect(postgres.pid).not.toBe(before));
    expect(lines.join('\n')).toContain('ended unexpectedly');
  });

  it('adopts the PostgreSQL of a process that was killed, and stops it at the end', async () => {
    await kill(await startElsewhere());
    const pid = Number(readFileSync(join(folder, 'postgres/data/postmaster.pid'), 'utf8').split('\n')[0]);
    const postgres = await start();
    expect(postgres).toMatchObject({ owned: true, pid });
    await postgres.stop();
    expect(identifyProcess(pid)).toBeUndefined();
  });

  it('starts after both the process and PostgreSQL were killed', async () => {
    const child = await startElsewhere();
    const pid = Number(readFileSync(join(folder, 'postgres/data/postmaster.pid'), 'utf8').split('\n')[0]);
    process.kill(pid, 'SIGKILL');
    await kill(child);
    const postgres = await start();
    expect(await ask(postgres.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  it('attaches to the PostgreSQL of another process, leaves it running, and takes over when that process is killed', async () => {
    const child = await startElsewhere();
    const guest = await start();
    expect(guest.owned).toBe(false);
    await guest.stop();

    const heir = await start();
    const { url, pid } = heir;
    expect(heir.owned).toBe(false);
    await kill(child);
    await eventually(() => expect(heir).toMatchObject({ owned: true, pid }));
    process.kill(pid, 'SIGKILL');
    expect(await eventually(() => ask(url, 'SELECT 1 AS one'))).toEqual([{ one: 1 }]);
  });

  it('is stopped by the last process that uses it, also when all leave at the same moment', async () => {
    const all = await Promise.all([start(), start(), start(), start()]);
    expect(all.filter(({ owned }) => owned)).toHaveLength(1);
    expect(new Set(all.map(({ url }) => url)).size).toBe(1);
    const { pid, url } = all[0];
    expect(await ask(url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
    await Promise.all(all.map((postgres) => postgres.stop()));
    expect(identifyProcess(pid)).toBeUndefined();
    expect(readdirSync(join(folder, 'postgres.lock'))).toEqual([]);
  });

  it('begins anew when the first start was killed in the middle of initdb', async () => {
    const child = launchElsewhere();
    const home = join(folder, 'postgres');
    await eventually(() => expect(readdirSync(home).some((name) => name.startsWith('draft-'))).toBe(true), 1);
    await kill(child);
    expect(existsSync(join(home, 'data'))).toBe(false);
    const postgres = await start();
    expect(await ask(postgres.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  it('starts over a postmaster.pid whose pid belongs to a stranger since', async () => {
    await (await start()).stop();
    writeFileSync(join(folder, 'postgres/data/postmaster.pid'), `${process.pid}\n${folder}\n0\n1\n\n\n\nready\n`);
    const postgres = await start();
    expect(postgres.pid).not.toBe(process.pid);
    expect(await ask(postgres.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  onLinux('runs in a session of its own, out of reach of ctrl-C in our terminal', async () => {
    const { pid } = await start();
    // proc_pid_stat(5): field 6 is the session.
    const session = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ')[3];
    expect(Number(session)).toBe(pid);
  });

  describe('says in one sentence how to mend', () => {
    it('data of another major version', async () => {
      await (await start()).stop();
      writeFileSync(join(folder, 'postgres/data/PG_VERSION'), '15\n');
      await expect(start()).rejects.toThrow(/made by PostgreSQL 15 and this is PostgreSQL 18: dump it/);
    });

    it('damaged data', async () => {
      await (await start()).stop();
      rmSync(join(folder, 'postgres/data/global/pg_control'));
      await expect(start()).rejects.toThrow(/could not start: .*pg_control.* restore .* from a backup/s);
    });

    it('a lost password file', async () => {
      await (await start()).stop();
      rmSync(join(folder, 'postgres.json'));
      await expect(start()).rejects.toThrow(/postgres\.json .* is gone: restore it/);
    });

    it('a data folder that is a file', async () => {
      writeFileSync(join(folder, 'file'), '');
      await expect(start(join(folder, 'file'))).rejects.toThrow(/is a file where a folder is needed: remove it/);
    });

    it.each([
      ['EACCES', 'Permission denied on /data: give this user the folder'],
      ['EROFS', '/data is on a read-only file system: set DATA_DIR'],
      ['ENOSPC', 'No space left on the disk of /data: free some space'],
    ])('%s', (code, sentence) => {
      const explained = explainFileError(Object.assign(new Error(code), { code, path: '/data' }), '/data');
      expect(explained).toMatchObject({ message: expect.stringContaining(sentence) });
    });
  });

  asRoot('works for root in a folder that nobody else may enter', async () => {
    const secret = join(folder, 'secret');
    mkdirSync(secret, { mode: 0o700 });
    const dataDir = join(secret, '.holdfast');
    const first = await start(dataDir);
    expect(lstatSync(join(dataDir, 'postgres')).isSymbolicLink()).toBe(true);
    expect(lines.join('\n')).toContain(`cannot enter ${dataDir}: the data is kept in /var/lib/holdfast/data-`);
    await ask(first.url, 'CREATE TABLE kept AS SELECT 42 AS answer');
    await first.stop();
    const second = await start(dataDir);
    expect(await ask(second.url, 'SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
    await second.stop();

    const data = realpathSync(join(dataDir, 'postgres'));
    rmSync(data, { recursive: true });
    await expect(start(dataDir)).rejects.toThrow(/points to data that is gone: bring it back, or remove/);
  });
});

async function ask(url: string, sql: string): Promise<Record<string, unknown>[]> {
  const client = new Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
}

async function eventually<T>(attempt: () => T | Promise<T>, everyMs = 25): Promise<T> {
  for (const deadline = Date.now() + 20_000; ; await new Promise((resolve) => setTimeout(resolve, everyMs))) {
    try {
      return await attempt();
    } catch (error) {
      if (Date.now() > deadline) throw error;
    }
  }
}

function environmentOf(pid: number): string {
  return process.platform === 'linux' ? readFileSync(`/proc/${pid}/environ`, 'utf8') : '';
}

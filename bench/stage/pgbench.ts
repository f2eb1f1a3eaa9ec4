import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { VoidRun } from '../bench.js';

export interface PgbenchRun {
  databaseUrl: string;
  /** One transaction, in pgbench's own language. */
  script: string;
  /** Texts for the script's `:names`; they travel as parameters of the prepared statement. */
  variables: Readonly<Record<string, string>>;
  clients: number;
  seconds: number;
}

export interface PgbenchResult {
  transactions: number;
  /** Without the time it took to connect. */
  perSecond: number;
}

/** As many threads as the machine we are judged on has cores. */
const THREADS = 2;
const DEBIAN_VERSIONS = '/usr/lib/postgresql';
// Debian's rule: a package's services are not started when this script answers 101 (invoke-rc.d(8)).
const POLICY = '/usr/sbin/policy-rc.d';

/** @throws VoidRun when a transaction failed */
export async function pgbench(run: PgbenchRun): Promise<PgbenchResult> {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-pgbench-'));
  try {
    const file = join(folder, 'transaction.sql');
    writeFileSync(file, run.script);
    const { hostname, port, username, password, pathname } = new URL(run.databaseUrl);
    const variables = Object.entries(run.variables).flatMap(([name, value]) => ['-D', `${name}=${value}`]);
    const args = ['-n', '-M', 'prepared', '-c', String(run.clients), '-j', String(THREADS), '-T', String(run.seconds)];
    const output = await outputOf(findPgbench(), [...args, ...variables, '-f', file], {
      ...process.env,
      PGHOST: hostname,
      PGPORT: port,
      PGUSER: username,
      PGPASSWORD: password,
      PGDATABASE: pathname.slice(1),
    });
    if (!/number of failed transactions: 0 /.test(output)) throw new VoidRun(`pgbench had failures:\n${output}`);
    return {
      transactions: Number(/actually processed: (\d+)/.exec(output)?.[1]),
      perSecond: Number(/^tps = ([\d.]+)/m.exec(output)?.[1]),
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * From the PATH, from a server package of Debian, or installed from there when we may.
 *
 * @throws Error that says how to get it
 */
export function findPgbench(): string {
  const found = runs('pgbench') ?? fromDebian();
  if (found) return found;
  if (existsSync('/usr/bin/apt-get') && process.getuid?.() === 0) installPostgresql();
  const installed = runs('pgbench') ?? fromDebian();
  if (installed) return installed;
  throw new Error(
    'The reference is measured with pgbench, which is not here: install the PostgreSQL server package that has it (apt-get install postgresql, brew install postgresql) or put pgbench on the PATH.',
  );
}

function fromDebian(): string | undefined {
  const versions = existsSync(DEBIAN_VERSIONS) ? readdirSync(DEBIAN_VERSIONS) : [];
  return versions
    .sort((a, b) => Number(b) - Number(a))
    .map((version) => runs(join(DEBIAN_VERSIONS, version, 'bin', 'pgbench')))
    .find((path) => path !== undefined);
}

/** Debian ships pgbench in the server's package; its service stays off, we need the one program. */
function installPostgresql(): void {
  process.stderr.write('Installing pgbench (package postgresql) with apt-get …\n');
  const ownPolicy = !existsSync(POLICY);
  if (ownPolicy) {
    writeFileSync(POLICY, '#!/bin/sh\nexit 101\n');
    chmodSync(POLICY, 0o755);
  }
  try {
    for (const args of [
      ['update', '-qq'],
      ['install', '-y', '-qq', '--no-install-recommends', 'postgresql'],
    ]) {
      spawnSync('apt-get', args, { env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } });
    }
  } finally {
    if (ownPolicy) rmSync(POLICY, { force: true });
  }
}

function runs(command: string): string | undefined {
  return spawnSync(command, ['--version']).status === 0 ? command : undefined;
}

async function outputOf(command: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<string> {
  const child = spawn(command, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  const code = await new Promise<number | null>((resolve, reject) =>
    child.once('close', resolve).once('error', reject),
  );
  if (code !== 0) throw new VoidRun(`pgbench ended with ${code}:\n${output}`);
  return output;
}

import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chownSync, closeSync, existsSync, fsyncSync, mkdirSync, openSync, readFileSync, readdirSync } from 'node:fs';
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { majorVersion, program } from './binaries.js';
import { NAME } from './cluster-settings.js';
import { EmbeddedPostgresError } from './embedded-postgres.errors.js';
import type { Placement } from './placement.js';

/** The least PostgreSQL needs to know of our surroundings: none of our secrets reach its environment. */
export const CHILD_ENVIRONMENT = { PATH: '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' };

export function dataPath({ home }: Placement): string {
  return join(home, 'data');
}

/**
 * The cluster exists whole, or not at all: initdb writes a draft that is renamed once it is complete and on the disk, so a
 * crash in its middle leaves nothing that looks like data.
 * @throws EmbeddedPostgresError when it was made by another major version, is not a cluster, or cannot be made
 */
export async function createDataDirectory(placement: Placement, password: string): Promise<void> {
  const { home, user } = placement;
  clearDrafts(home);
  // A name of its own for every attempt: an initdb whose parent was killed may still be writing its draft.
  const draft = join(home, `draft-${randomBytes(4).toString('hex')}`);
  const passwordFile = `${draft}.password`;
  mkdirSync(draft, { mode: 0o700 });
  writeFileSync(passwordFile, password, { mode: 0o600 });
  if (user) for (const path of [draft, passwordFile]) chownSync(path, user.uid, user.gid);
  try {
    await initdb(placement, draft, passwordFile);
    renameSync(draft, dataPath(placement));
    syncFolder(home);
  } finally {
    rmSync(passwordFile, { force: true });
    rmSync(draft, { recursive: true, force: true });
  }
}

/** @throws EmbeddedPostgresError when the directory is not one that these programs can serve */
export function checkDataDirectory(placement: Placement): void {
  const data = dataPath(placement);
  const versionFile = join(data, 'PG_VERSION');
  const wanted = majorVersion(placement.binaries);
  if (!existsSync(versionFile)) {
    throw new EmbeddedPostgresError(
      `${data} is no PostgreSQL data directory (it has no PG_VERSION): restore it from a backup, or move it away to start with an empty database.`,
    );
  }
  const found = readFileSync(versionFile, 'utf8').trim();
  if (found === wanted) return;
  throw new EmbeddedPostgresError(
    `${data} was made by PostgreSQL ${found || '(PG_VERSION is empty)'} and this is PostgreSQL ${wanted}: dump it with that version and load it here, or move it away to start with an empty database.`,
  );
}

async function initdb(placement: Placement, data: string, passwordFile: string): Promise<void> {
  const { code, output } = await run(placement, [
    `--pgdata=${data}`,
    `--username=${NAME}`,
    `--pwfile=${passwordFile}`,
    '--auth-host=scram-sha-256',
    '--auth-local=reject',
    '--encoding=UTF8',
    '--locale=C',
    '--locale-provider=builtin',
    '--builtin-locale=C.UTF-8',
  ]);
  if (code === 0) return;
  const reason =
    output
      .trim()
      .split('\n')
      .findLast((line) => /error|fatal|could not/i.test(line)) ?? output.trim();
  if (/No space left|Disk quota/i.test(output)) {
    throw new EmbeddedPostgresError(`No space left on the disk of ${data}: PostgreSQL needs about 200 MB to start.`);
  }
  throw new EmbeddedPostgresError(`initdb could not make ${data}: ${reason}. Mend that, or set DATABASE_URL.`);
}

function run(placement: Placement, args: readonly string[]): Promise<{ code: number | null; output: string }> {
  const path = program(placement.binaries, 'initdb');
  return new Promise((resolve, reject) => {
    const child = spawn(path, args, {
      ...placement.user,
      cwd: placement.home,
      env: CHILD_ENVIRONMENT,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.once('error', (cause) =>
      reject(
        new EmbeddedPostgresError(
          `${path} does not run on this system (it needs glibc, which Alpine has not): set DATABASE_URL to a PostgreSQL of your own.`,
          { cause },
        ),
      ),
    );
    child.once('close', (code) => resolve({ code, output }));
  });
}

function clearDrafts(home: string): void {
  for (const name of readdirSync(home)) {
    if (!name.startsWith('draft-')) continue;
    try {
      rmSync(join(home, name), { recursive: true, force: true });
    } catch {
      // Still being written by an orphaned initdb: the next start clears it.
    }
  }
}

/** A rename is on the disk only once its folder is. */
function syncFolder(path: string): void {
  const folder = openSync(path, 'r');
  fsyncSync(folder);
  closeSync(folder);
}

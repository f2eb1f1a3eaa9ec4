import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, renameSync, statSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { program } from './binaries.js';
import { CHILD_ENVIRONMENT, dataPath } from './data-directory.js';
import { EmbeddedPostgresError } from './embedded-postgres.errors.js';
import type { Placement } from './placement.js';
import { identifyProcess, isRunning, type ProcessRef } from './process-ref.js';

const SETTINGS = {
  listen_addresses: '127.0.0.1',
  // TCP only: a socket's path is limited to 107 bytes, and a data folder's is not.
  unix_socket_directories: '',
  max_connections: '200',
  shared_buffers: '256MB',
  max_wal_size: '2GB',
  // The server reports its own failed statements; here they would only fill the disk with payloads.
  log_min_messages: 'log',
  log_min_error_statement: 'panic',
};

const STOP_TIMEOUT_MS = 10_000;
const LOG_LIMIT_BYTES = 16 * 1024 * 1024;

/** A launched postmaster, which may not be ready yet. */
export interface Launched {
  process: ProcessRef;
  /** What it has written to its log since. */
  output(): string;
}

/**
 * Starts the postmaster in a session of its own: ctrl-C in our terminal must reach us alone, so that we finish our work
 * before the database goes. It outlives us if we are killed; the next start adopts it.
 */
export async function launch(placement: Placement, port: number, logFile: string): Promise<Launched> {
  const path = program(placement.binaries, 'postgres');
  const options = Object.entries(SETTINGS).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  keepSmall(logFile);
  // A file and no pipe: writing to a pipe fails once its reader is gone.
  const log = openSync(logFile, 'a', 0o600);
  const before = statSync(logFile).size;
  try {
    const child = spawn(path, ['-D', dataPath(placement), '-p', String(port), ...options], {
      ...placement.user,
      cwd: dataPath(placement),
      env: CHILD_ENVIRONMENT,
      stdio: ['ignore', log, log],
      detached: true,
    });
    await new Promise<void>((resolve, reject) => child.once('spawn', resolve).once('error', reject));
    child.unref();
    const pid = child.pid ?? 0;
    return {
      process: identifyProcess(pid) ?? { pid, startedAt: '' },
      output: () => readFileSync(logFile).subarray(before).toString(),
    };
  } catch (cause) {
    throw new EmbeddedPostgresError(`${path} does not run on this system: set DATABASE_URL.`, { cause });
  } finally {
    closeSync(log);
  }
}

/** Fast shutdown (every transaction rolled back, a checkpoint, exit); immediate when that takes longer than 10 s. */
export async function terminate(postmaster: ProcessRef): Promise<void> {
  for (const signal of ['SIGINT', 'SIGQUIT', 'SIGKILL'] as const) {
    if (!isRunning(postmaster)) return;
    try {
      process.kill(postmaster.pid, signal);
    } catch (error) {
      // Gone between the two lines; another user's is not ours to end.
      if (error instanceof Error && 'code' in error && error.code === 'ESRCH') return;
      throw error;
    }
    for (const deadline = Date.now() + STOP_TIMEOUT_MS; isRunning(postmaster) && Date.now() < deadline;)
      await sleep(20);
  }
}

function keepSmall(logFile: string): void {
  const size = statSync(logFile, { throwIfNoEntry: false })?.size ?? 0;
  if (size > LOG_LIMIT_BYTES) renameSync(logFile, `${logFile}.1`);
}

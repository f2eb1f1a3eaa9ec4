import { readFileSync, realpathSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { identifyProcess, workingDirectory, type ProcessRef } from './process-ref.js';

/** What `postmaster.pid` says, for the lines we need (PostgreSQL source: src/include/utils/pidfile.h). */
export interface PostmasterPid {
  pid: number;
  port: number;
  /** `starting`, `ready`, `stopping`, … */
  status: string;
}

export function readPostmasterPid(data: string): PostmasterPid | undefined {
  let text: string;
  try {
    text = readFileSync(join(data, 'postmaster.pid'), 'utf8');
  } catch {
    return undefined;
  }
  const lines = text.split('\n');
  const pid = Number(lines[0]);
  // A crash can leave the file empty.
  return Number.isInteger(pid) && pid > 0
    ? { pid, port: Number(lines[3]), status: (lines[7] ?? '').trim() }
    : undefined;
}

export type PostmasterPidHolder =
  | { kind: 'none' }
  | { kind: 'ours'; process: ProcessRef; port: number; status: string }
  /** After a reboot the pid in the file can belong to any process, and PostgreSQL refuses to start beside it. */
  | { kind: 'stranger'; pid: number };

/** Which live process, if any, the `postmaster.pid` of this data directory names. */
export function postmasterPidHolder(data: string): PostmasterPidHolder {
  const file = readPostmasterPid(data);
  if (file === undefined) return { kind: 'none' };
  const process = identifyProcess(file.pid);
  if (process === undefined) return { kind: 'none' };
  if (!runsOn(file.pid, data)) return { kind: 'stranger', pid: file.pid };
  return { kind: 'ours', process, port: file.port, status: file.status };
}

function runsOn(pid: number, data: string): boolean {
  // A postmaster works in its data directory, wherever that was moved since.
  const directory = workingDirectory(pid);
  if (directory !== undefined) return directory === realpathSync(data);
  const { stdout } = spawnSync('ps', ['-o', 'args=', '-p', String(pid)], { encoding: 'utf8' });
  return stdout === null || (stdout.includes('postgres') && stdout.includes(data));
}

import { readFileSync, readlinkSync } from 'node:fs';

/** A process that another one cannot be mistaken for: a pid alone is reused, soon after a reboot or in a container. */
export interface ProcessRef {
  pid: number;
  /** Start time in clock ticks and the boot's id (Linux); empty where neither can be read, and then only the pid counts. */
  startedAt: string;
}

/** The running process with this pid, or undefined. A zombie, dead but not yet waited for by its parent, does not run. */
export function identifyProcess(pid: number): ProcessRef | undefined {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM: it is there and belongs to somebody else.
    if (!(error instanceof Error && 'code' in error && error.code === 'EPERM')) return undefined;
  }
  const stat = readProcFile(`/proc/${pid}/stat`);
  if (stat === undefined) return { pid, startedAt: '' };
  // proc_pid_stat(5): the second field is the command in brackets and may itself hold spaces and brackets.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  if (fields[0] === 'Z' || fields[0] === 'X') return undefined;
  return { pid, startedAt: `${fields[19] ?? ''}.${bootId()}` };
}

export function isRunning(ref: ProcessRef): boolean {
  const current = identifyProcess(ref.pid);
  if (current === undefined) return false;
  return current.startedAt === '' || ref.startedAt === '' || current.startedAt === ref.startedAt;
}

/** The directory a process works in, or undefined where the system does not tell us. */
export function workingDirectory(pid: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    return undefined;
  }
}

function bootId(): string {
  return (readProcFile('/proc/sys/kernel/random/boot_id') ?? '').slice(0, 8);
}

function readProcFile(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

import { readdirSync, readFileSync } from 'node:fs';

/** Of the three that share the machine, over one measured stretch. */
export interface CpuSeconds {
  generator: number;
  app: number;
  database: number;
  /** Everything else that ran meanwhile: more than a few percent, and the figure tells of them instead. */
  others: number;
}

/** Linux counts CPU time for user space in hundredths of a second on every architecture (USER_HZ, time(7)). */
const TICKS_PER_SECOND = 100;

interface Stat {
  parent: number;
  /** Its own, all threads. */
  seconds: number;
  /** Of children that have ended. */
  childSeconds: number;
}

/** User and system time of a process and its children with all their threads, of children that have ended too. */
export function familyCpuSeconds(pid: number): number {
  const parent = statOf(pid);
  if (!parent) return 0;
  return childrenOf(pid).reduce(
    (sum, child) => sum + (statOf(child)?.seconds ?? 0),
    parent.seconds + parent.childSeconds,
  );
}

/** A process and its children. Only the process where there is no /proc. */
export function familyPids(pid: number): number[] {
  return [pid, ...childrenOf(pid)];
}

function childrenOf(pid: number): number[] {
  if (!statOf(pid)) return [];
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((each) => statOf(each)?.parent === pid);
}

/** What all processors of the machine have worked since it started. 0 where there is no /proc. */
export function machineCpuSeconds(): number {
  let text: string;
  try {
    text = readFileSync('/proc/stat', 'latin1');
  } catch {
    return 0;
  }
  // "cpu  user nice system idle iowait irq softirq steal …", see proc_stat(5).
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0] =
    text.split('\n', 1)[0]?.split(/\s+/).slice(1).map(Number) ?? [];
  return (user + nice + system + irq + softirq) / TICKS_PER_SECOND;
}

/** /proc/<pid>/stat, see proc_pid_stat(5). The name in parentheses may hold spaces; the fields after it are numbers. */
function statOf(pid: number): Stat | undefined {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch {
    return undefined;
  }
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  // Counted from 0 behind the name: 1 ppid, 11 utime, 12 stime, 13 cutime, 14 cstime.
  const field = (index: number) => Number(fields[index]);
  return {
    parent: field(1),
    seconds: (field(11) + field(12)) / TICKS_PER_SECOND,
    childSeconds: (field(13) + field(14)) / TICKS_PER_SECOND,
  };
}

import { parseArgs } from 'node:util';
import type { Bench } from './bench.js';

export interface CommandLine {
  /** What to do with the benches. */
  action: 'run' | 'list' | 'help';
  benches: readonly Bench[];
  seconds: number;
  runs: number;
  /** Null: what each bench has by default. */
  connections: number | null;
  /** Null: what each bench has by default. */
  processes: number | null;
  redis: boolean;
  json: boolean;
}

export const USAGE = `npm run bench -- [ids …] [options]

  ids                which to run, for example P1 P10; all of them without
  --runs <n>         how often each is measured, in turn with its reference (3)
  --seconds <n>      length of each measurement (8)
  --connections <n>  of the load generator (what --list shows)
  --processes <n>    of the server (what --list shows)
  --redis            give the server a Redis
  --json             for programs
  --list             name the benches, run none
  --help`;

/** @throws Error with one line for an unknown id or a number out of range */
export function readCommandLine(args: readonly string[], all: readonly Bench[]): CommandLine {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      runs: { type: 'string', default: '3' },
      seconds: { type: 'string', default: '8' },
      connections: { type: 'string' },
      processes: { type: 'string' },
      redis: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      list: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const benches = positionals.map((id) => {
    const bench = all.find((each) => each.id.toLowerCase() === id.toLowerCase());
    if (!bench) throw new Error(`There is no bench "${id}"; there are ${all.map((each) => each.id).join(', ')}.`);
    return bench;
  });
  const { connections, processes } = values;
  return {
    action: values.help ? 'help' : values.list ? 'list' : 'run',
    benches: benches.length > 0 ? benches : all,
    runs: wholeNumber('--runs', values.runs, 1, 99),
    seconds: wholeNumber('--seconds', values.seconds, 1, 120),
    connections: connections === undefined ? null : wholeNumber('--connections', connections, 1, 1000),
    processes: processes === undefined ? null : wholeNumber('--processes', processes, 1, 64),
    redis: values.redis,
    json: values.json,
  };
}

function wholeNumber(name: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw new Error(`${name} ${text}: give a whole number from ${least} to ${most}.`);
}

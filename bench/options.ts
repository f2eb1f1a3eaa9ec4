import { parseArgs } from 'node:util';
import type { Bench } from './bench.js';

export interface CommandLine {
  benches: readonly Bench[];
  seconds: number;
  runs: number;
  connections: number;
  json: boolean;
}

export const USAGE = `npm run bench -- [ids …] [--runs 3] [--seconds 8] [--connections 64] [--json]`;

/** @throws Error with one line for an unknown id or a number out of range */
export function readCommandLine(args: readonly string[], all: readonly Bench[]): CommandLine {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      runs: { type: 'string', default: '3' },
      seconds: { type: 'string', default: '8' },
      connections: { type: 'string', default: '64' },
      json: { type: 'boolean', default: false },
    },
  });
  const benches = positionals.map((id) => {
    const bench = all.find((each) => each.id.toLowerCase() === id.toLowerCase());
    if (!bench) throw new Error(`There is no bench "${id}"; there are ${all.map((each) => each.id).join(', ')}.`);
    return bench;
  });
  return {
    benches: benches.length > 0 ? benches : all,
    runs: wholeNumber('--runs', values.runs, 1, 99),
    seconds: wholeNumber('--seconds', values.seconds, 1, 120),
    connections: wholeNumber('--connections', values.connections, 1, 1000),
    json: values.json,
  };
}

function wholeNumber(name: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw new Error(`${name} ${text}: give a whole number from ${least} to ${most}.`);
}

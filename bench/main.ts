// `npm run bench`: every bench, or those named, and one table. Exit code 1 only when a run is void; slow is a result.
import { type Bench, type BenchOptions, VoidRun } from './bench.js';
import { BENCHES } from './benches.js';
import { readCommandLine, USAGE } from './options.js';
import { type Row, table } from './report.js';
import { machine } from './stage/machine.js';

try {
  const { benches, json, ...options } = readCommandLine(process.argv.slice(2), BENCHES);
  // Progress on standard error: --json must be readable by a program.
  const progress = (line: string) => process.stderr.write(`${line}\n`);
  const rows: Row[] = [];
  for (const bench of benches) {
    progress(`${bench.id}: ${bench.title}`);
    rows.push(await measure(bench, { ...options, progress: (line) => progress(`  ${line}`) }));
  }
  const about = machine();
  if (json) console.log(JSON.stringify({ machine: about, options, benches: rows.map(plain) }, null, 2));
  else console.log(`\n${table(rows)}\n\n${about.line}`);
  process.exitCode = rows.some(({ outcome }) => outcome instanceof VoidRun) ? 1 : 0;
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  console.error(USAGE);
  process.exitCode = 1;
}

async function measure(bench: Bench, options: BenchOptions): Promise<Row> {
  try {
    return { bench, outcome: await bench.run(options) };
  } catch (error) {
    if (error instanceof VoidRun) return { bench, outcome: error };
    throw error;
  }
}

function plain({ bench: { id, title, reference, beat }, outcome }: Row) {
  return {
    id,
    title,
    beat,
    comparedWith: reference,
    ...(outcome instanceof VoidRun ? { void: outcome.message } : outcome),
  };
}

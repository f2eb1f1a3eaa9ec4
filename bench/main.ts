// `npm run bench`: every bench, or those named, and one table. Exit code 1 only when a run is void; slow is a result.
import { type Bench, type BenchOptions, VoidRun } from './bench.js';
import { BENCHES } from './benches.js';
import { type CommandLine, readCommandLine, USAGE } from './options.js';
import { list, type Row, table } from './report.js';
import { machine } from './stage/machine.js';

const commandLine = readArguments();
try {
  if (commandLine.action === 'help') console.log(USAGE);
  else if (commandLine.action === 'list') console.log(list(commandLine.benches));
  else await run(commandLine);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}

function readArguments(): CommandLine {
  try {
    return readCommandLine(process.argv.slice(2), BENCHES);
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    console.error(USAGE);
    process.exit(1);
  }
}

async function run({ benches, json, seconds, runs, connections, processes, redis }: CommandLine): Promise<void> {
  // Progress on standard error: --json must be readable by a program.
  const progress = (line: string) => process.stderr.write(`${line}\n`);
  const rows: Row[] = [];
  try {
    for (const bench of benches) {
      progress(`${bench.id}: ${bench.title}`);
      const options = {
        seconds,
        runs,
        connections: connections ?? bench.connections,
        processes: processes ?? bench.processes,
        redis,
      };
      rows.push(await measure(bench, { ...options, progress: (line) => progress(`  ${line}`) }));
    }
  } finally {
    // What was measured before something broke is still worth its minutes.
    const about = machine();
    const options = { seconds, runs, connections, processes, redis };
    if (json) console.log(JSON.stringify({ machine: about, options, benches: rows.map(plain) }, null, 2));
    else if (rows.length > 0) console.log(`\n${table(rows)}\n\n${about.line}`);
  }
  process.exitCode = rows.some(({ outcome }) => outcome instanceof VoidRun) ? 1 : 0;
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

import { type Bench, type BenchOutcome, type Figure, type Latency, VoidRun } from './bench.js';

export interface Row {
  bench: Bench;
  outcome: BenchOutcome | VoidRun;
}

const HEADINGS = [
  'id',
  'what',
  'ours',
  'reference',
  'ratio',
  'target',
  'verdict',
  'CPU s gen/app/db/others',
  'each run',
  'p50/p99 ms',
];

/** One line a bench, then what has to be said about it. */
export function table(rows: readonly Row[]): string {
  return [...aligned([HEADINGS, ...rows.map(cellsOf)]), '', ...rows.flatMap(remarksOf)].join('\n');
}

/** What there is to run. */
export function list(benches: readonly Bench[]): string {
  const headings = ['id', 'what', 'target', 'reference', 'connections', 'processes'];
  const rows = benches.map(({ id, title, beat, reference, connections, processes }) => [
    id,
    title,
    beat,
    reference ?? '-',
    connections === 0 ? '-' : String(connections),
    String(processes),
  ]);
  return aligned([headings, ...rows]).join('\n');
}

/** Lines of columns, the first one underlined. */
function aligned(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd();
  const [head = '', ...rest] = rows.map(line);
  return [head, widths.map((width) => '─'.repeat(width)).join('  '), ...rest];
}

function cellsOf({ bench, outcome }: Row): string[] {
  const { id, title, beat } = bench;
  if (outcome instanceof VoidRun) return [id, title, '-', '-', '-', beat, 'VOID', '-', '-', '-'];
  const { ours, reference, ratio, met, cpu, ratios, latency } = outcome;
  return [
    id,
    title,
    figure(ours),
    reference ? figure(reference) : '-',
    ratio === null ? '-' : `${ratio.toFixed(2)}×`,
    beat,
    met ? 'met' : 'MISSED',
    cpu ? [cpu.generator, cpu.app, cpu.database, cpu.others].map((seconds) => seconds.toFixed(1)).join(' / ') : '-',
    ratios.map((each) => each.toFixed(2)).join(' ') || '-',
    latency ? latencyCell(latency) : '-',
  ];
}

function latencyCell({ p50, p99, rate }: Latency): string {
  const figures = `${milliseconds(p50)} / ${milliseconds(p99)}`;
  return rate === null ? figures : `${figures} at ${figure({ value: rate, unit: '/s' })}`;
}

function remarksOf({ bench, outcome }: Row): string[] {
  if (outcome instanceof VoidRun) return [`${bench.id} is void: ${outcome.message}`];
  const remarks = outcome.remarks.map((remark) => `    ${remark}`);
  return [`${bench.id}: ${bench.reference ? `reference is ${bench.reference}` : bench.title}`, ...remarks];
}

function figure({ value, unit }: Figure): string {
  if (unit === 'ms') return `${milliseconds(value)} ms`;
  return `${Math.round(value).toLocaleString('en-US')} ${unit}`;
}

/** A decision in memory takes microseconds, a batch of a thousand transfers tens of milliseconds. */
function milliseconds(value: number): string {
  return value < 0.1 ? value.toFixed(3) : value.toFixed(1);
}

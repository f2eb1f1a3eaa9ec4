import { type Bench, type BenchOutcome, type Figure, VoidRun } from './bench.js';

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
  const cells = [HEADINGS, ...rows.map(cellsOf)];
  const widths = HEADINGS.map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
  const lines = cells.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
  lines.splice(1, 0, widths.map((width) => '─'.repeat(width)).join('  '));
  return [...lines, '', ...rows.flatMap(remarksOf)].join('\n');
}

function cellsOf({ bench, outcome }: Row): string[] {
  const { id, title, beat } = bench;
  if (outcome instanceof VoidRun) return [id, title, '-', '-', '-', beat, 'VOID', '-', '-', '-'];
  const { ours, reference, ratio, met, cpu, ratios, latency } = outcome;
  return [
    id,
    title,
    figure(ours),
    figure(reference),
    `${ratio.toFixed(2)}×`,
    beat,
    met ? 'met' : 'MISSED',
    [cpu.generator, cpu.app, cpu.database, cpu.others].map((seconds) => seconds.toFixed(1)).join(' / '),
    ratios.map((each) => each.toFixed(2)).join(' '),
    latency
      ? `${latency.p50.toFixed(1)} / ${latency.p99.toFixed(1)} at ${figure({ value: latency.rate, unit: '/s' })}`
      : '-',
  ];
}

function remarksOf({ bench, outcome }: Row): string[] {
  if (outcome instanceof VoidRun) return [`${bench.id} is void: ${outcome.message}`];
  return [`${bench.id}: reference is ${bench.reference}`, ...outcome.remarks.map((remark) => `    ${remark}`)];
}

function figure({ value, unit }: Figure): string {
  return `${Math.round(value).toLocaleString('en-US')} ${unit}`;
}

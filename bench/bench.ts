import type { CpuSeconds } from './stage/cpu-seconds.js';

/** One row of the table: what we do, measured against what the machine allows, in the same run, or against a bound. */
export interface Bench {
  /** As in `npm run bench -- P1`. */
  id: string;
  title: string;
  /** What the figure is held against; null where the target is a bound. */
  reference: string | null;
  /** The target in words. */
  beat: string;
  /** Connections of the load generator unless told: what serves us best. 0 where it has none to do with it. */
  connections: number;
  /** Of the server (`PROCESSES`) unless told. One where more do not help, or the reference is one process too. */
  processes: number;
  /** @throws VoidRun when an answer was wrong: a fast wrong answer is no figure */
  run(options: BenchOptions): Promise<BenchOutcome>;
}

export interface BenchOptions {
  /** Length of each measured stretch. */
  seconds: number;
  /** How often ours and the reference are measured, in turn. */
  runs: number;
  /** Connections of the load generator; each has one request under way. */
  connections: number;
  /** Of the server (`PROCESSES`). */
  processes: number;
  /** Whether the server has a Redis. */
  redis: boolean;
  /** Told what is going on, one line each. */
  progress(line: string): void;
}

export interface Figure {
  value: number;
  unit: string;
}

export interface BenchOutcome {
  /** Medians over the runs. */
  ours: Figure;
  reference: Figure | null;
  ratio: number | null;
  met: boolean;
  /** The ratio of each run, to show how much the machine swings. */
  ratios: readonly number[];
  /** Of the run whose figure is shown. */
  cpu: CpuSeconds | null;
  latency: Latency | null;
  remarks: readonly string[];
}

/** Milliseconds. */
export interface Latency {
  /** Per second, sent whatever the answers took; null where each asker waits for its answer. */
  rate: number | null;
  p50: number;
  p99: number;
}

/** Errors or wrong answers: what was measured is worth nothing. */
export class VoidRun extends Error {
  override readonly name = 'VoidRun';
}

import { type Bench, type BenchOptions, type BenchOutcome, VoidRun } from '../bench.js';
import { onStage, type Stage } from '../stage/stage.js';
import { median, percentile } from '../statistics.js';

/** Asks for one thing. @returns milliseconds until it was there */
export type Ask = () => number | Promise<number>;

export interface LatencyBench {
  id: string;
  title: string;
  /** Milliseconds that 99 of 100 stay below. */
  bound: number;
  /** Who ask at the same time, each again when answered. */
  askers: number;
  /** Whether it needs a Redis. */
  redis: boolean;
  /** In words, who asks for what. */
  remark: string;
  prepare(stage: Stage): Ask | Promise<Ask>;
}

const WARM_UP_SECONDS = 1;
/** More than enough for a percentile; what answers in microseconds would fill the memory. */
const MAX_SAMPLES = 500_000;

/** A row that is held against a bound, not against a reference. */
export function latencyBench(latency: LatencyBench): Bench {
  return {
    id: latency.id,
    title: latency.title,
    reference: null,
    beat: `p99 < ${latency.bound} ms`,
    connections: 0,
    processes: 1,
    run: (options) =>
      onStage({ ...options, redis: latency.redis }, async (stage) =>
        measure(latency, await latency.prepare(stage), options),
      ),
  };
}

async function measure(
  { bound, askers, remark }: LatencyBench,
  ask: Ask,
  { seconds, runs, progress }: BenchOptions,
): Promise<BenchOutcome> {
  await keepAsking(ask, askers, WARM_UP_SECONDS);
  const measured = [];
  let asked = 0;
  for (let run = 1; run <= runs; run++) {
    const took = await keepAsking(ask, askers, seconds);
    asked += took.length;
    const [p50, p99] = [percentile(took, 0.5), percentile(took, 0.99)];
    measured.push({ p50, p99 });
    progress(`run ${run} of ${runs}: p50 ${p50.toFixed(3)} ms, p99 ${p99.toFixed(3)} ms`);
  }
  const p99 = median(measured.map((run) => run.p99));
  return {
    ours: { value: p99, unit: 'ms' },
    reference: null,
    ratio: null,
    met: p99 < bound,
    ratios: [],
    cpu: null,
    latency: { p50: median(measured.map((run) => run.p50)), p99, rate: null },
    remarks: [`${runs} runs of ${seconds} s, ${asked.toLocaleString('en-US')} in all; ${remark}`],
  };
}

/** @throws VoidRun when one was not answered */
async function keepAsking(ask: Ask, askers: number, seconds: number): Promise<Float64Array> {
  const took: number[] = [];
  const deadline = performance.now() + seconds * 1000;
  const asker = async () => {
    while (took.length < MAX_SAMPLES && performance.now() < deadline) {
      const answer = ask();
      took.push(typeof answer === 'number' ? answer : await answer);
    }
  };
  try {
    await Promise.all(Array.from({ length: askers }, asker));
  } catch (error) {
    throw new VoidRun(`One was not answered: ${error instanceof Error ? error.message : String(error)}`);
  }
  return Float64Array.from(took);
}

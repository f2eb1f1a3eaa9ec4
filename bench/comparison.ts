import type { BenchOptions, BenchOutcome } from './bench.js';
import { median, typical } from './statistics.js';
import type { Workload } from './workload.js';

export interface Comparison {
  ours: Workload;
  /** Measures what ours is held against, for so many seconds. @returns per second */
  reference(seconds: number): Promise<number>;
  /** Ours over the reference at least. */
  target: number;
  /** In words, what was verified of each run. */
  verified: string;
  /** More that has to be said. */
  remarks?: readonly string[];
}

/** V8 goes on compiling what a server runs for about 15 seconds: 5,000 webhooks a second become 6,500 meanwhile. */
const WARM_UP_SECONDS = 15;
const REFERENCE_WARM_UP_SECONDS = 2;

/** Full speed, ours and the reference in turn, so that a machine that slows down or speeds up does so to both. */
export async function compare(comparison: Comparison, options: BenchOptions): Promise<BenchOutcome> {
  const { ours, target } = comparison;
  const { seconds, runs, connections, processes, progress } = options;
  await ours.prepare(WARM_UP_SECONDS);
  await ours.fullSpeed(WARM_UP_SECONDS);
  await comparison.reference(REFERENCE_WARM_UP_SECONDS);

  const measured = [];
  for (let run = 1; run <= runs; run++) {
    const reference = await comparison.reference(seconds);
    await ours.prepare(seconds);
    const stretch = await ours.fullSpeed(seconds);
    measured.push({ stretch, reference, ratio: stretch.rate / reference });
    progress(`run ${run} of ${runs}: ours ${stretch.rate.toFixed(0)}/s, reference ${reference.toFixed(0)}/s`);
  }
  const rate = median(measured.map(({ stretch }) => stretch.rate));
  const reference = median(measured.map((each) => each.reference));

  await ours.prepare(seconds);
  const half = Math.round(rate / 2);
  const { latency } = await ours.atRate(half, seconds);

  const { cpu, unsealed } = typical(measured, ({ stretch }) => stretch.rate).stretch;
  return {
    ours: { value: rate, unit: '/s' },
    reference: { value: reference, unit: '/s' },
    ratio: rate / reference,
    met: rate / reference >= target,
    ratios: measured.map(({ ratio }) => ratio),
    cpu,
    latency: latency && { rate: half, ...latency },
    remarks: [
      `${runs} runs of ${seconds} s each, in turn, over ${connections} connections to ${processes === 1 ? 'one process' : `${processes} processes`}; ${comparison.verified}`,
      ...(unsealed > 0 ? [unsealedRemark(unsealed)] : []),
      ...(comparison.remarks ?? []),
    ],
  };
}

function unsealedRemark(lines: number): string {
  return `at the end of the run shown ${lines.toLocaleString('en-US')} audit lines waited for their seal`;
}

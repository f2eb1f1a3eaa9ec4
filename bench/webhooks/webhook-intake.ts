import type { Bench, BenchOptions, BenchOutcome } from '../bench.js';
import { onStage, type Stage } from '../stage/stage.js';
import { median, typical } from '../statistics.js';
import { insertReference } from './insert-reference.js';
import { Intake } from './intake.js';

const TARGET = 0.5;
const WARM_UP_SECONDS = 4;
const REFERENCE_WARM_UP_SECONDS = 2;

/** P1: webhooks accepted over HTTP: verified, deduplicated, committed, with the full edge on. */
export const webhookIntake: Bench = {
  id: 'P1',
  title: 'webhooks accepted over HTTP',
  reference: 'pgbench, one single-row insert per transaction, 32 clients',
  beat: `≥ ${TARGET}×`,
  run: (options) => onStage(options.connections, (stage) => measure(stage, options)),
};

/** In turn, so that a machine that slows down or speeds up does so to both. */
async function measure(stage: Stage, { seconds, runs, progress }: BenchOptions): Promise<BenchOutcome> {
  const intake = new Intake(stage);
  await intake.prepare(WARM_UP_SECONDS);
  await intake.fullSpeed(WARM_UP_SECONDS);
  await insertReference(stage.database, REFERENCE_WARM_UP_SECONDS);

  const measured = [];
  for (let run = 1; run <= runs; run++) {
    await stage.database.settle();
    const reference = await insertReference(stage.database, seconds);
    await intake.prepare(seconds);
    const ours = await intake.fullSpeed(seconds);
    measured.push({ ours, reference, ratio: ours.rate / reference });
    progress(`run ${run} of ${runs}: ours ${ours.rate.toFixed(0)}/s, reference ${reference.toFixed(0)}/s`);
  }
  const rate = median(measured.map(({ ours }) => ours.rate));
  const reference = median(measured.map((each) => each.reference));

  await intake.prepare(seconds);
  const steady = await intake.atRate(Math.round(rate / 2), seconds);

  const { cpu, unsealed } = typical(measured, ({ ours }) => ours.rate).ours;
  return {
    ours: { value: rate, unit: '/s' },
    reference: { value: reference, unit: '/s' },
    ratio: rate / reference,
    met: rate / reference >= TARGET,
    ratios: measured.map(({ ratio }) => ratio),
    cpu,
    latency: steady.latency && { rate: Math.round(rate / 2), ...steady.latency },
    remarks: [
      `${runs} runs of ${seconds} s each, in turn; every accepted event found stored once, with one audit line`,
      `at the end of the run shown ${unsealed.toLocaleString('en-US')} audit lines waited for their seal`,
    ],
  };
}

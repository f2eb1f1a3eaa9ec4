import { setTimeout as delay } from 'node:timers/promises';
import type { Bench, BenchOptions, BenchOutcome } from '../bench.js';
import { onStage, type Stage } from '../stage/stage.js';
import { median } from '../statistics.js';
import { Workload } from '../workload.js';
import { Intake } from './intake.js';
import { webhookIntake } from './webhook-intake.js';

const MEBIBYTE = 1024 * 1024;
const MAX_GROWTH_MIB = 100;
/** What the last ten seconds may be above the seconds 20 to 30. */
const FLAT_MIB = 10;

const WARM_UP_SECONDS = 5;
const IDLE_SECONDS = 10;
const MINUTE_SECONDS = 60;

/** P10: the server's memory after a minute of P1 at full speed, against its memory before. */
export const memoryUnderLoad: Bench = {
  id: 'P10',
  title: 'memory of all processes after a minute of P1 at full speed',
  reference: `memory before: warmed up, then idle for ${IDLE_SECONDS} s`,
  beat: `≤ +${MAX_GROWTH_MIB} MiB, flat`,
  connections: webhookIntake.connections,
  processes: webhookIntake.processes,
  run: (options) => onStage(options, (stage) => measure(stage, options)),
};

async function measure(stage: Stage, { progress }: BenchOptions): Promise<BenchOutcome> {
  const intake = new Workload(stage, new Intake(stage));
  await intake.prepare(WARM_UP_SECONDS);
  await intake.fullSpeed(WARM_UP_SECONDS);
  await intake.prepare(MINUTE_SECONDS);
  const before = median((await sample(stage, delay(IDLE_SECONDS * 1000))).slice(-5));
  progress(`${before.toFixed(0)} MiB before`);

  const minute = intake.fullSpeed(MINUTE_SECONDS);
  const during = (await sample(stage, minute)).slice(0, MINUTE_SECONDS);
  const { rate, cpu, unsealed } = await minute;

  const after = median(during.slice(-10));
  const drift = after - median(during.slice(20, 30));
  const everyTen = during.filter((_, second) => second % 10 === 9).map((mebibytes) => mebibytes.toFixed(0));
  return {
    ours: { value: after, unit: 'MiB' },
    reference: { value: before, unit: 'MiB' },
    ratio: after / before,
    met: after - before <= MAX_GROWTH_MIB && drift < FLAT_MIB,
    ratios: [after / before],
    cpu,
    latency: null,
    remarks: [
      `${signed(after - before)} MiB; ${signed(drift)} MiB from seconds 20-30 to the last ten (flat is below +${FLAT_MIB})`,
      `resident MiB every ten seconds: ${everyTen.join(' ')}`,
      `${rate.toFixed(0)} accepted per second over the minute; at its end ${unsealed.toLocaleString('en-US')} audit lines waited for their seal`,
    ],
  };
}

/** Resident MiB once a second until `until` settles. */
async function sample({ server }: Stage, until: Promise<unknown>): Promise<number[]> {
  const samples: number[] = [];
  const timer = setInterval(() => samples.push(server.residentBytes() / MEBIBYTE), 1000);
  try {
    await until;
  } finally {
    clearInterval(timer);
  }
  return samples;
}

function signed(value: number): string {
  return `${value < 0 ? '' : '+'}${value.toFixed(0)}`;
}

import { availableParallelism } from 'node:os';
import type { Bench } from '../bench.js';
import { compare } from '../comparison.js';
import { onStage } from '../stage/stage.js';
import { Workload } from '../workload.js';
import { insertReference } from './insert-reference.js';
import { Intake } from './intake.js';

const TARGET = 0.5;
/** One for each core, up to the most there may be. */
const PROCESSES = Math.min(availableParallelism(), 64);

/** P1: webhooks accepted over HTTP: verified, deduplicated, committed, with the full edge on. */
export const webhookIntake: Bench = {
  id: 'P1',
  title: 'webhooks accepted over HTTP',
  reference: 'pgbench, one single-row insert per transaction, 32 clients',
  beat: `≥ ${TARGET}×`,
  // A burst of a large sender. Group commit gains with each of them: at 64 the ratio is a tenth lower.
  connections: 128 * PROCESSES,
  // Reading a request takes longer than storing it: one process leaves a fifth of two cores idle.
  processes: PROCESSES,
  run: (options) =>
    onStage(options, (stage) =>
      compare(
        {
          ours: new Workload(stage, new Intake(stage)),
          reference: (seconds) => insertReference(stage.database, seconds),
          target: TARGET,
          verified: 'every accepted event found stored once, with one audit line',
        },
        options,
      ),
    ),
};

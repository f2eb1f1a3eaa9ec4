import type { Bench, BenchOptions, BenchOutcome } from '../bench.js';
import { compare } from '../comparison.js';
import { onStage, type Stage } from '../stage/stage.js';
import { Workload } from '../workload.js';
import { BalanceQueries } from './balance-queries.js';
import { Replays, STORED } from './replays.js';

const TARGET = 0.9;

/** P8: a transfer sent again under its key, answered from what was stored. */
export const replayedTransfers: Bench = {
  id: 'P8',
  title: 'transfers replayed',
  reference: 'our own GET of a balance, as in P7',
  beat: `≥ ${TARGET}×`,
  connections: 64,
  processes: 1,
  run: (options) => onStage(options, (stage) => measure(stage, options)),
};

async function measure(stage: Stage, options: BenchOptions): Promise<BenchOutcome> {
  const replays = await Replays.begin(stage);
  const reads = new Workload(stage, await BalanceQueries.begin(stage));
  return compare(
    {
      ours: new Workload(stage, replays),
      reference: async (seconds) => {
        await reads.prepare(seconds);
        return (await reads.fullSpeed(seconds)).rate;
      },
      target: TARGET,
      verified: `${STORED.toLocaleString('en-US')} transfers in turn, every answer the stored one to the byte, nothing posted`,
    },
    options,
  );
}

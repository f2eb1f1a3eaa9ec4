import type { Bench, BenchOptions, BenchOutcome } from '../bench.js';
import { compare } from '../comparison.js';
import { LoadGenerator } from '../load/load-generator.js';
import { onStage, type Stage } from '../stage/stage.js';
import { Workload } from '../workload.js';
import { BalanceQueries } from './balance-queries.js';
import { BareFastify } from './bare-fastify.js';

const TARGET = 0.6;

/** P7: a balance over HTTP, with credentials, limits and all headers. */
export const balanceReads: Bench = {
  id: 'P7',
  title: 'balances read, random accounts',
  reference: 'bare Fastify, one prepared query of the same row per request, pool of 20, no auth, limits or headers',
  beat: `≥ ${TARGET}×`,
  connections: 64,
  processes: 1,
  run: (options) => onStage(options, (stage) => measure(stage, options)),
};

async function measure(stage: Stage, options: BenchOptions): Promise<BenchOutcome> {
  const queries = await BalanceQueries.beginWithMoney(stage);
  const bare = await BareFastify.start(stage.database.url);
  stage.leave.push(() => bare.stop());
  const generator = await LoadGenerator.start({ url: bare.url, connections: options.connections });
  stage.leave.push(() => generator.stop());
  await generator.prepare(queries.recipe());
  return compare(
    {
      ours: new Workload(stage, queries),
      reference: async (seconds) => {
        await stage.database.settle();
        const { accepted, seconds: took } = await generator.closedLoop(seconds);
        return accepted / took;
      },
      target: TARGET,
      verified: 'every answer was the balance of its user, on both sides',
    },
    options,
  );
}

import type { Bench, BenchOptions, BenchOutcome } from '../bench.js';
import { compare } from '../comparison.js';
import { HOT_USER } from '../requests/planned-transfers.js';
import { onStage } from '../stage/stage.js';
import { Workload } from '../workload.js';
import { transferReference } from './pgbench-transfers.js';
import { type TransferOptions, Transfers } from './transfers.js';

const RANDOM_REFERENCE = 'pgbench, one transaction per transfer (2 updates, 2 entries), random accounts, 32 clients';

/** P2: single transfers over HTTP between random accounts, an idempotency key each. */
export const singleTransfers: Bench = {
  id: 'P2',
  title: 'single transfers, random accounts',
  reference: RANDOM_REFERENCE,
  beat: '≥ 0.6×',
  connections: 128,
  processes: 1,
  run: (options) => measure(options, { size: 1, hot: null }, { hot: false, target: 0.6 }),
};

/** P3: the same with one account on one side of every transfer. */
export const hotTransfers: Bench = {
  id: 'P3',
  title: 'single transfers, one hot account',
  reference: 'the same pgbench script on one hot account',
  beat: '≥ 3×',
  connections: 128,
  processes: 1,
  run: (options) => measure(options, { size: 1, hot: HOT_USER }, { hot: true, target: 3 }),
};

/** P4: transfers through the batch route. */
export const batchTransfers: Bench = {
  id: 'P4',
  title: 'transfers in batches of 1,000',
  reference: RANDOM_REFERENCE,
  beat: '≥ 3×',
  connections: 4,
  processes: 1,
  run: (options) => measure(options, { size: 1000, hot: null }, { hot: false, target: 3 }),
};

function measure(
  options: BenchOptions,
  transfers: TransferOptions,
  { hot, target }: { hot: boolean; target: number },
): Promise<BenchOutcome> {
  return onStage(options, async (stage) => {
    const ours = new Workload(stage, await Transfers.begin(stage, transfers));
    return compare(
      {
        ours,
        reference: (seconds) => transferReference(stage.database, seconds, hot),
        target,
        verified: 'every transfer answered 201 found posted once, as it was sent; the books balance after each run',
        remarks: [
          'ours also keeps an idempotency key with its answer for each request and an audit trail; the reference does not',
        ],
      },
      options,
    );
  });
}

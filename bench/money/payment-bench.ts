import { randomBytes } from 'node:crypto';
import type { Bench, BenchOptions, BenchOutcome } from '../bench.js';
import { compare } from '../comparison.js';
import { LoadGenerator } from '../load/load-generator.js';
import { onStage, type Stage } from '../stage/stage.js';
import { Workload } from '../workload.js';
import { Payments } from './payments.js';
import { Transfers } from './transfers.js';

const TARGET = 0.2;

/** Transfers per second, a fraction of what there is room for, whose time is told with and without payments beside them. */
const BESIDE = 100;

/** The sandbox pays here, which production would not have. */
const ENVIRONMENT = { NODE_ENV: 'development', PAYMENT_RATE_LIMIT: '100000000' };

/** P12: payments created, made at the sandbox over HTTP, settled and credited, all within the answer. */
export const sandboxPayments: Bench = {
  id: 'P12',
  title: 'payments at the sandbox, credited',
  reference: 'single transfers, random accounts, as in P2',
  beat: `≥ ${TARGET}×`,
  connections: 64,
  processes: 1,
  run: (options) => onStage({ ...options, environment: ENVIRONMENT }, (stage) => measure(stage, options)),
};

async function measure(stage: Stage, options: BenchOptions): Promise<BenchOutcome> {
  const transfers = new Workload(stage, await Transfers.begin(stage, { size: 1, hot: null, isAlone: false }));
  const payments = new Workload(stage, new Payments(stage));
  const outcome = await compare(
    {
      ours: payments,
      reference: async (seconds) => {
        await transfers.prepare(seconds);
        return (await transfers.fullSpeed(seconds)).rate;
      },
      target: TARGET,
      verified: 'every payment answered 201 found made once at the sandbox and in its user’s wallet once',
    },
    options,
  );
  return { ...outcome, remarks: [...outcome.remarks, await besidePayments(stage, payments, options)] };
}

/** What payments at full speed do to those who only transfer. */
async function besidePayments(stage: Stage, payments: Workload, { seconds }: BenchOptions): Promise<string> {
  const others = await LoadGenerator.start({ url: stage.server.url, connections: 16 });
  stage.leave.push(() => others.stop());
  const p99 = async () => {
    const run = randomBytes(4).toString('hex');
    const count = BESIDE * seconds * 2;
    await others.prepare({ of: 'transfers', run, hot: null, count, apiKey: stage.apiKey });
    return (await others.openLoop(BESIDE, seconds)).latency?.p99 ?? 0;
  };
  await payments.prepare(seconds);
  const alone = await p99();
  const [beside] = await Promise.all([p99(), payments.fullSpeed(seconds)]);
  return `${BESIDE} transfers a second: p99 ${alone.toFixed(1)} ms alone, ${beside.toFixed(1)} ms beside payments at full speed`;
}

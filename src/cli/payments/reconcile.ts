import type { Command } from 'commander';
import { setTimeout as sleep } from 'node:timers/promises';
import { ApiClient } from '../api-client.js';
import { CliError } from '../cli.error.js';
import { examples } from '../examples.js';
import { explainError } from '../explain-error.js';
import { print, progress, remark } from '../output.js';
import type { Settings } from '../settings.js';
import { describeDifferences, describeReport, type Difference, type Reconciliation } from './reconciliation-report.js';

/** The first look comes soon, later ones seldom enough for the hourly limit of a key (1000). */
const FIRST_POLL_MS = 250;
const LAST_POLL_MS = 5000;
const RUNNING: readonly string[] = ['queued', 'running'];
/** Differences that are shown; the API has them all. */
const MOST_SHOWN = 200;

/** Whether the books agree with the provider, for scripts. */
const EXIT = { agreed: 0, open: 1, notDone: 2 } as const;

interface Options {
  provider?: string;
  from?: string;
  to?: string;
  json?: boolean;
  url?: string;
}

export function registerReconcile(payments: Command, settings: Settings): void {
  payments
    .command('reconcile')
    .description('compare payments, provider and ledger; exit code 0: they agree, 1: something is open, 2: not done')
    .option('--provider <name>', 'stripe, paystack or sandbox')
    .option('--from <time>', 'such as 2026-01-31T00:00:00Z; 48 hours before --to if left out')
    .option('--to <time>', 'not included; now if left out')
    .option('--json', "for programs: the server's answer, with the first open differences")
    .option('--url <url>', 'the server, if not http://HOST:PORT of the environment')
    .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : EXIT.notDone))
    .addHelpText(
      'after',
      examples(
        'payments reconcile --provider stripe',
        'payments reconcile --provider stripe --from 2026-01-01T00:00:00Z --to 2026-02-01T00:00:00Z --json',
      ),
    )
    .action((options: Options) => reconcile(settings, options));
}

async function reconcile(settings: Settings, options: Options): Promise<void> {
  try {
    process.exitCode = (await run(settings, options)) ? EXIT.open : EXIT.agreed;
  } catch (error) {
    remark(explainError(error));
    process.exitCode = EXIT.notDone;
  }
}

/** @returns whether something is open. @throws CliError when it could not be found out */
async function run(settings: Settings, { provider, from, to, json, url }: Options): Promise<boolean> {
  if (provider === undefined) throw new CliError('Say whose list it is, for example --provider stripe.');
  const client = await ApiClient.connect(settings, url);
  const made: Reconciliation = JSON.parse(await client.post('/api/reconciliations', { provider, from, to }));
  remark(`Reconciliation ${made.id} has begun; stopping this command does not stop it.`);
  await untilOver(client, made);
  const answer = await client.get(`/api/reconciliations/${made.id}`, { state: 'open', limit: MOST_SHOWN });
  const over: Reconciliation & { differences: Difference[] } = JSON.parse(answer);
  if (over.status !== 'completed')
    throw new CliError(`The reconciliation ${over.status}: ${over.error ?? 'no reason'}`);
  print(json ? answer : describeReport(over));
  if (!json && over.differences.length > 0) print(describeDifferences(over.differences));
  if (over.open > over.differences.length) {
    remark(`${over.open} are open: the rest is at /api/reconciliations/${over.id}?state=open`);
  }
  return over.open > 0;
}

async function untilOver(client: ApiClient, made: Reconciliation): Promise<void> {
  let current = made;
  for (let wait = FIRST_POLL_MS; RUNNING.includes(current.status); wait = Math.min(wait * 1.5, LAST_POLL_MS)) {
    const { step, movements, compared, asked } = current.progress;
    progress(`${step}: ${movements} movements, ${compared} compared, asked about ${asked}`);
    await sleep(wait);
    current = JSON.parse(await client.get(`/api/reconciliations/${made.id}`, { limit: 1 }));
  }
  progress('');
}

import type { Command } from 'commander';
import { setTimeout as sleep } from 'node:timers/promises';
import { ApiClient } from '../api-client.js';
import { CliError } from '../cli.error.js';
import { examples } from '../examples.js';
import { wholeNumber } from '../options.js';
import { print, progress, remark } from '../output.js';
import type { Settings } from '../settings.js';
import { addFilterOptions, type EventFilter, filterOf } from './filter.js';

/** The first look at a job comes soon, later ones seldom enough for the hourly limit of a key (1000). */
const FIRST_POLL_MS = 250;
const LAST_POLL_MS = 5000;
const HIGHEST_RATE = 10_000;
const RUNNING = ['QUEUED', 'RUNNING'];

interface Options extends EventFilter {
  rate?: number;
  dryRun?: boolean;
  json?: boolean;
  url?: string;
}

interface ReplayJob {
  id: string;
  status: string;
  dryRun: boolean;
  total: number;
  examined: number;
  replayed: number;
}

export function registerReplay(events: Command, settings: Settings): void {
  addFilterOptions(
    events
      .command('replay')
      .description('run one event again, or all that match, whatever became of them')
      .argument('[id]', 'one event; without it the filters below say which'),
  )
    .option('--rate <n>', 'events per second at most (default 50)', wholeNumber(1, HIGHEST_RATE))
    .option('--dry-run', 'only count what would be replayed')
    .option('--json', "for programs: the server's answer")
    .option('--url <url>', 'the server, if not http://HOST:PORT of the environment')
    .addHelpText(
      'after',
      examples(
        'events replay 0199d3a2-5e4c-7a10-9b7e-3f1c2d4e5f60',
        'events replay --status DEAD_LETTER --source stripe --dry-run',
        'events replay --status DEAD_LETTER --rate 10',
      ),
    )
    .action((id: string | undefined, options: Options) => replay(settings, id, options));
}

async function replay(settings: Settings, id: string | undefined, options: Options): Promise<void> {
  const { rate, dryRun, json, url, ...given } = options;
  const filter = filterOf(given);
  const hasFilter = Object.keys(filter).length > 0;
  if ((id === undefined) !== hasFilter) {
    throw new CliError('Say which events: either one id, or filters such as --status DEAD_LETTER.');
  }
  const client = await ApiClient.connect(settings, url);
  if (id !== undefined) return replayOne(client, id, json ?? false);

  let answer = await client.post('/api/replay-jobs', { filter, dryRun, ratePerSecond: rate });
  let job: ReplayJob = JSON.parse(answer);
  if (RUNNING.includes(job.status)) remark(`Replay job ${job.id} goes on, even without this command.`);
  for (let wait = FIRST_POLL_MS; RUNNING.includes(job.status); wait = Math.min(wait * 1.5, LAST_POLL_MS)) {
    progress(`${job.examined} of ${job.total} events`);
    await sleep(wait);
    answer = await client.get(`/api/replay-jobs/${job.id}`);
    job = JSON.parse(answer);
  }
  progress('');
  print(json ? answer : summary(job));
  if (job.status !== 'COMPLETED') process.exitCode = 1;
}

async function replayOne(client: ApiClient, id: string, json: boolean): Promise<void> {
  const answer = await client.post(`/api/webhook-events/${encodeURIComponent(id)}/replay`);
  print(json ? answer : `Event ${id} runs again now. See: npx holdfast events show ${id}`);
}

function summary({ status, dryRun, total, replayed }: ReplayJob): string {
  if (dryRun) return `Events that match: ${total}. Nothing was replayed.`;
  const outcome = status === 'COMPLETED' ? '' : ` The job ended as ${status}.`;
  return `Events replayed: ${replayed} of ${total}.${outcome}`;
}

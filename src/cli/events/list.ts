import type { Command } from 'commander';
import { ApiClient } from '../api-client.js';
import { examples } from '../examples.js';
import { wholeNumber } from '../options.js';
import { print, remark } from '../output.js';
import type { Settings } from '../settings.js';
import { formatTable } from '../table.js';
import { addFilterOptions, type EventFilter, filterOf } from './filter.js';

const LARGEST_PAGE = 200;

interface Options extends EventFilter {
  limit?: number;
  cursor?: string;
  json?: boolean;
  url?: string;
}

interface EventPage {
  data: EventLine[];
  nextCursor: string | null;
}

interface EventLine {
  id: string;
  source: string;
  eventId: string;
  eventType: string;
  status: string;
  attempts: number;
  receivedAt: string;
  error: string | null;
}

export function registerList(events: Command, settings: Settings): void {
  addFilterOptions(events.command('list').description('events, newest first'))
    .option('--limit <n>', `at most this many, up to ${LARGEST_PAGE} (default 50)`, wholeNumber(1, LARGEST_PAGE))
    .option('--cursor <cursor>', 'where the page before has ended')
    .option('--json', "for programs: the server's answer, { data, nextCursor }")
    .option('--url <url>', 'the server, if not http://HOST:PORT of the environment')
    .addHelpText('after', examples('events list', 'events list --source stripe --status DEAD_LETTER --json'))
    .action((options: Options) => list(settings, options));
}

async function list(settings: Settings, { limit, cursor, json, url, ...filter }: Options): Promise<void> {
  const client = await ApiClient.connect(settings, url);
  const answer = await client.get('/api/webhook-events', { ...filterOf(filter), limit, cursor });
  if (json) return print(answer);
  const page: EventPage = JSON.parse(answer);
  if (page.data.length === 0) return remark('No events.');
  print(formatTable(HEADER, page.data.map(row)));
  if (page.nextCursor !== null) remark(`There are more: repeat this with --cursor ${page.nextCursor}`);
}

const HEADER = ['RECEIVED', 'SOURCE', 'TYPE', 'STATUS', 'ATTEMPTS', 'ID', 'EVENT ID', 'ERROR'];

function row({ receivedAt, source, eventType, status, attempts, id, eventId, error }: EventLine): string[] {
  return [receivedAt, source, eventType, status, String(attempts), id, eventId, error ?? ''];
}

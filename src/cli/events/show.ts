import type { Command } from 'commander';
import { isJsonObject, parseExactJson, stringifyExactJson } from '../../kernel/exact-json.js';
import { ApiClient } from '../api-client.js';
import { examples } from '../examples.js';
import { print } from '../output.js';
import type { Settings } from '../settings.js';
import { formatFields, formatTable } from '../table.js';

interface EventDetail {
  id: string;
  source: string;
  eventId: string;
  eventType: string;
  status: string;
  attempts: number;
  retryCount: number;
  maxRetries: number;
  receivedAt: string;
  processedAt: string | null;
  processingTimeMs: number | null;
  nextAttemptAt: string | null;
  error: string | null;
  conflicts: number;
  orderingKey: string | null;
  causeId: string | null;
  ipAddress: string | null;
  userAgent: string | null;
  payloadHash: string;
  attemptLog: Attempt[];
}

interface Attempt {
  attempt: number;
  outcome: string;
  startedAt: string;
  durationMs: number;
  worker: string;
  error: string | null;
}

export function registerShow(events: Command, settings: Settings): void {
  events
    .command('show')
    .description('one event with its payload and its attempts')
    .argument('<id>', 'from events list, or from the answer to its sender')
    .option('--json', "for programs: the server's answer, with headers and the exact bytes")
    .option('--url <url>', 'the server, if not http://HOST:PORT of the environment')
    .addHelpText('after', examples('events show 0199d3a2-5e4c-7a10-9b7e-3f1c2d4e5f60'))
    .action((id: string, options: { json?: boolean; url?: string }) => show(settings, id, options));
}

async function show(settings: Settings, id: string, { json, url }: { json?: boolean; url?: string }): Promise<void> {
  const client = await ApiClient.connect(settings, url);
  const answer = await client.get(`/api/webhook-events/${encodeURIComponent(id)}`);
  if (json) return print(answer);
  const event: EventDetail = JSON.parse(answer);
  print(fields(event));
  if (event.attemptLog.length > 0) print(`\n${formatTable(HEADER, event.attemptLog.map(row))}`);
  print(`\n${payload(answer)}`);
}

function fields(event: EventDetail): string {
  const retries = `${event.retryCount} of ${event.maxRetries} retries used`;
  const took = event.processingTimeMs === null ? '' : ` (in ${event.processingTimeMs} ms)`;
  return formatFields({
    id: event.id,
    source: event.source,
    type: event.eventType,
    'event id': event.eventId,
    status: event.status,
    attempts: `${event.attempts} (${retries})`,
    received: event.receivedAt,
    processed: event.processedAt && event.processedAt + took,
    'next attempt': event.nextAttemptAt,
    error: event.error,
    conflicts: event.conflicts > 0 ? `${event.conflicts} other bodies under this id` : null,
    'ordering key': event.orderingKey,
    cause: event.causeId,
    from: [event.ipAddress, event.userAgent].filter((part) => part !== null).join(' '),
    sha256: event.payloadHash,
  });
}

const HEADER = ['ATTEMPT', 'OUTCOME', 'STARTED', 'MS', 'WORKER', 'ERROR'];

function row({ attempt, outcome, startedAt, durationMs, worker, error }: Attempt): string[] {
  return [String(attempt), outcome, startedAt, String(durationMs), worker, error ?? ''];
}

/** Parsed once more, so that integers beyond 2^53 are shown as they were sent. */
function payload(answer: string): string {
  const event = parseExactJson(answer);
  return stringifyExactJson(isJsonObject(event) ? event['payload'] : null, { indent: 2 });
}

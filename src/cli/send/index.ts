import { Argument, type Command, Option } from 'commander';
import { readFileSync } from 'node:fs';
// Providers are pure: by the module's index.ts they would bring Nest and TypeORM, more than a second.
import { PROVIDER_NAMES, type ProviderName } from '../../modules/webhooks/providers/webhook-provider.js';
import { CliError } from '../cli.error.js';
import { examples } from '../examples.js';
import { request } from '../http.js';
import { wholeNumber } from '../options.js';
import type { Settings } from '../settings.js';
import { sendMany } from './many.js';
import { sendOne } from './one.js';
import { newEvent, signsTime } from './signed-event.js';
import { findSigning } from './signing.js';

const MOST_EVENTS = 1_000_000;
const MOST_AT_ONCE = 1000;
const HOUR_SECONDS = 3600;

interface Options {
  file?: string;
  id?: string;
  source?: string;
  url?: string;
  secret?: string;
  count: number;
  concurrency: number;
  duplicate?: boolean;
  stale?: boolean;
  future?: boolean;
  badSignature?: boolean;
}

export function registerSend(command: Command, settings: Settings): void {
  command
    .addArgument(new Argument('<provider>', 'who seems to send').choices(PROVIDER_NAMES))
    .argument('[type]', "one of the provider's event types, such as payment_intent.succeeded")
    .option('--file <path>', 'send these bytes as the body')
    .option('--id <id>', "the provider's event id, instead of a new one for each event")
    .option('--count <n>', 'so many events', wholeNumber(1, MOST_EVENTS), 1)
    .option('--concurrency <n>', 'so many at the same time', wholeNumber(1, MOST_AT_ONCE), 10)
    .option('--duplicate', 'send each event a second time')
    .addOption(new Option('--stale', 'sign with a time an hour ago').conflicts('future'))
    .option('--future', 'sign with a time in an hour')
    .option('--bad-signature', 'sign something else than what is sent')
    .option('--source <name>', 'the source to send to, if it is not named like its provider')
    .option('--url <url>', 'the server, if not http://HOST:PORT of the environment')
    .option('--secret <secret>', 'what to sign with, if neither the environment nor the database knows it')
    .addHelpText(
      'after',
      examples(
        'send github ping',
        'send stripe payment_intent.succeeded --duplicate',
        'send stripe --count 10000 --concurrency 50',
        'send shopify orders/create --file order.json --secret shpss_0123456789abcdef',
        'send standard --stale',
      ),
    )
    .action((provider: ProviderName, type: string | undefined, options: Options) =>
      send(settings, provider, type, options),
    );
}

async function send(
  settings: Settings,
  provider: ProviderName,
  type: string | undefined,
  options: Options,
): Promise<void> {
  const { source = provider, count, concurrency, duplicate = false, id } = options;
  const file = options.file === undefined ? undefined : readBody(options.file);
  const server = settings.serverUrl(options.url);
  // Asked first, so that no database is started for a server that is not there.
  await request(`${server}/health/live`);
  const signing = await findSigning(settings, { server, source, provider, given: options.secret });
  const shiftSeconds = options.stale ? -HOUR_SECONDS : options.future ? HOUR_SECONDS : 0;
  if (shiftSeconds !== 0 && !signsTime(provider, signing.scheme)) {
    throw new CliError(
      `${provider} signs no time, so none of its events can be stale or early. Those of stripe and standard can, and ` +
        'those of an hmac source with {timestamp} in its template.',
    );
  }

  const madeAt = Math.floor(Date.now() / 1000) + shiftSeconds;
  const wanted = { type, id, file, madeAt, shiftSeconds, forged: options.badSignature ?? false };
  const next = () => newEvent(provider, wanted, signing);
  const target = { url: `${server}/webhooks/${encodeURIComponent(source)}`, knownBy: signing.knownBy };
  const allAccepted =
    count === 1
      ? await sendOne(target, next(), duplicate)
      : await sendMany(target, next, { count, concurrency, duplicate });
  if (!allAccepted) process.exitCode = 1;
}

function readBody(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new CliError(`The file ${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
}

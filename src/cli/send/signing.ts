import { randomBytes } from 'node:crypto';
import type { ProviderName, SourcesService } from '../../modules/webhooks/index.js';
import { CliError } from '../cli.error.js';
import { remark } from '../output.js';
import type { Settings } from '../settings.js';
import { OTHER_DATABASE } from './deliver.js';
import type { Scheme } from './signed-event.js';

/** A server knows a new source within half a second, by contract within one; a busy machine gets some more. */
const KNOWN_WITHIN_MS = 3000;
const SOURCE_NAME = /^[a-z0-9][a-z0-9_-]{0,62}$/;

export interface Signing {
  secret: string;
  scheme: Scheme;
  /** On the clock of `performance.now()`: until then the server may not know the source yet. 0 if it is not new. */
  knownBy: number;
}

export interface Sought {
  /** The server's URL. */
  server: string;
  source: string;
  provider: ProviderName;
  /** By `--secret`. */
  given: string | undefined;
}

/**
 * What to sign with: the secret given, else the environment's for a source named after its provider, else the newest
 * one in our own server's database. Outside production a source that is not there is made.
 *
 * @throws CliError when none can be had
 */
export async function findSigning(settings: Settings, sought: Sought): Promise<Signing> {
  const { server, source, provider, given } = sought;
  if (given !== undefined) return { secret: given, scheme: undefined, knownBy: 0 };
  const fromEnvironment = source === provider ? settings.config.webhookSecrets[provider] : undefined;
  const isOurs = settings.isOurs(server);
  // How an hmac source signs is known to the database alone.
  if (fromEnvironment !== undefined && !(provider === 'hmac' && isOurs)) {
    return { secret: fromEnvironment, scheme: undefined, knownBy: 0 };
  }
  if (!isOurs) throw new CliError(`The secret of "${source}" at ${server} is not known here: give it with --secret.`);
  try {
    return await fromDatabase(settings, sought);
  } catch (error) {
    // The server is up, so its own database has all tables.
    if (isUndefinedTable(error)) throw new CliError(OTHER_DATABASE, { cause: error });
    throw error;
  }
}

async function fromDatabase(settings: Settings, { source: name, provider }: Sought): Promise<Signing> {
  // Loaded here, with all of Nest behind them, because a secret of the environment needs no database.
  const { SourceDirectory, SourcesService } = await import('../../modules/webhooks/index.js');
  const { requireKnownKey } = await import('../../platform/encryption/index.js');
  const { withApplication } = await import('../application.js');
  const { DataSource } = await import('typeorm');
  return withApplication(settings.config, async (app) => {
    await requireKnownKey(app.get(DataSource), settings.config);
    const directory = app.get(SourceDirectory);
    const isNew = directory.find(name) === undefined;
    if (isNew) await makeSource(app.get(SourcesService), settings, name, provider);
    const source = directory.find(name);
    if (source?.provider !== provider) {
      throw new CliError(`"${name}" is a source of ${source?.provider}: npx holdfast send ${source?.provider} …`);
    }
    const [newest] = source.secrets();
    if (!newest) {
      throw new CliError(`No secret of "${name}" can be read: was ENCRYPTION_KEY another one when it was stored?`);
    }
    if (newest.value.startsWith('whpk_')) {
      throw new CliError(`"${name}" knows only the public key of its sender: give the private one, --secret whsk_…`);
    }
    return {
      secret: newest.value,
      scheme: source.scheme ?? undefined,
      knownBy: isNew ? performance.now() + KNOWN_WITHIN_MS : 0,
    };
  });
}

async function makeSource(
  sources: SourcesService,
  { config }: Settings,
  name: string,
  provider: ProviderName,
): Promise<void> {
  if (config.isProduction) {
    throw new CliError(`There is no source "${name}". In production it is made with POST /api/webhook-sources only.`);
  }
  if (!SOURCE_NAME.test(name)) {
    throw new CliError(
      `"${name}" is no name for a source: 1 to 63 of a-z, 0-9, "-", "_", the first a letter or digit.`,
    );
  }
  const { operator } = await import('../application.js');
  await sources.create({ name, provider, secret: newSecret(provider) }, operator());
  remark(`There was no source "${name}": made one with a random secret.`);
}

function isUndefinedTable(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === '42P01';
}

/** In the form of the provider's own. */
function newSecret(provider: ProviderName): string {
  const random = randomBytes(32);
  switch (provider) {
    case 'standard':
      return `whsec_${random.toString('base64')}`;
    case 'stripe':
      return `whsec_${random.toString('hex')}`;
    case 'paystack':
      return `sk_test_${random.toString('hex')}`;
    default:
      return random.toString('hex');
  }
}

import { Command } from 'commander';
import { VERSION } from '../version.js';
import { examples } from './examples.js';
import type { Settings } from './settings.js';

/** Gives a command its options, its action or its subcommands. */
export type Register = (command: Command, settings: Settings) => void;

interface Entry {
  description: string;
  load: () => Promise<Register>;
}

/** In the order of the help text. */
export const COMMANDS: Readonly<Record<string, Entry>> = {
  start: {
    description: 'run the server, like node dist/src/main.js',
    load: async () => (await import('./start.js')).registerStart,
  },
  migrate: {
    description: 'bring the schema up to date; a start of the server does the same',
    load: async () => (await import('./migrate/index.js')).registerMigrate,
  },
  keys: {
    description: 'create, list and revoke API keys, in the database itself',
    load: async () => (await import('./keys/index.js')).registerKeys,
  },
  users: {
    description: 'list users, set their role or subscription, in the database itself',
    load: async () => (await import('./users.js')).registerUsers,
  },
  token: {
    description: 'sign an access token for an end user, for trying things out',
    load: async () => (await import('./token.js')).registerToken,
  },
  send: {
    description: 'send signed, real-looking webhooks to a running server; exit code 1 unless all are accepted',
    load: async () => (await import('./send/index.js')).registerSend,
  },
  events: {
    description: 'list, show and replay stored events, over HTTP with HOLDFAST_API_KEY or the key of the first start',
    load: async () => (await import('./events/index.js')).registerEvents,
  },
  sources: {
    description: 'list where webhooks may come in',
    load: async () => (await import('./sources.js')).registerSources,
  },
  payments: {
    description:
      'compare payments with what a provider says, over HTTP like events; exit code 1 when something is open',
    load: async () => (await import('./payments/index.js')).registerPayments,
  },
  audit: {
    description: 'verify the hash-chained record of who did what',
    load: async () => (await import('./audit.js')).registerAudit,
  },
  ledger: {
    description: 'prove that the ledger holds: every balance, entry, transfer and hold',
    load: async () => (await import('./ledger.js')).registerLedger,
  },
  encryption: {
    description: 'change ENCRYPTION_KEY, in the database itself',
    load: async () => (await import('./encryption/index.js')).registerEncryption,
  },
  openapi: {
    description: 'write the OpenAPI document of the HTTP API; needs neither server nor database',
    load: async () => (await import('./openapi.js')).registerOpenApi,
  },
};

const ENVIRONMENT = '\n\nThe same environment variables apply as to the server; .env.example explains them.';

/** @param args of the command line: only the command they name is loaded, because Nest and TypeORM take a second */
export async function createProgram(settings: Settings, args: readonly string[]): Promise<Command> {
  const program = new Command('holdfast')
    .description('Runs Holdfast, looks after it, and sends it signed test events.')
    .version(VERSION)
    .addHelpText('after', examples('start', 'send github ping', 'events list') + ENVIRONMENT);
  const asked = args[0] === 'help' ? args[1] : args[0];
  for (const [name, { description, load }] of Object.entries(COMMANDS)) {
    const command = program.command(name).description(description);
    if (name === asked) (await load())(command, settings);
  }
  return program;
}

import { Command } from 'commander';
import { VERSION } from '../version.js';
import type { Settings } from './settings.js';

type Register = (program: Command, settings: Settings) => void;

/** In the order of the help text. */
const COMMANDS: Readonly<Record<string, () => Promise<Register>>> = {
  start: async () => (await import('./start.js')).registerStart,
  migrate: async () => (await import('./migrate/index.js')).registerMigrate,
  keys: async () => (await import('./keys/index.js')).registerKeys,
  send: async () => (await import('./send/index.js')).registerSend,
  events: async () => (await import('./events/index.js')).registerEvents,
  sources: async () => (await import('./sources.js')).registerSources,
  audit: async () => (await import('./audit.js')).registerAudit,
  openapi: async () => (await import('./openapi.js')).registerOpenApi,
};

/** @param name the command that will run: only that one is loaded, because Nest and TypeORM take their time */
export async function createProgram(settings: Settings, name: string | undefined): Promise<Command> {
  const program = new Command('holdfast')
    .description('Runs Holdfast, looks after it, and sends it signed test events.')
    .version(VERSION)
    .helpCommand(true)
    .configureHelp({ showGlobalOptions: false })
    .addHelpText(
      'after',
      `
Example:
  $ npx holdfast send github ping
  $ npx holdfast events list

The same environment variables apply as to the server; .env.example explains them.`,
    );
  const only = name !== undefined && Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  for (const load of only ? [only] : Object.values(COMMANDS)) (await load())(program, settings);
  return program;
}

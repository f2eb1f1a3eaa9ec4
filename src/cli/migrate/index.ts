import { type Command, Option } from 'commander';
import { SCHEMA } from '../../schema.js';
import { migrate as migrateUp } from '../../platform/database/index.js';
import { examples } from '../examples.js';
import { print } from '../output.js';
import type { Settings } from '../settings.js';
import { withDatabase } from '../with-database.js';
import { checkMigrations } from './check.js';
import { generateMigration } from './generate.js';
import { revertLast } from './revert.js';

interface Options {
  revert?: boolean;
  check?: boolean;
  generate?: string;
}

export function registerMigrate(command: Command, settings: Settings): void {
  command
    .addOption(new Option('--revert', 'undo the last migration instead').conflicts(['check', 'generate']))
    .addOption(
      new Option(
        '--check',
        'in a scratch database: do the migrations make what the entities say, and can each be undone?',
      ).conflicts('generate'),
    )
    .addOption(new Option('--generate <Name>', 'write a migration that makes what the entities say'))
    .addHelpText('after', examples('migrate', 'migrate --revert', 'migrate --check', 'migrate --generate AddNotes'))
    .action((options: Options) => migrate(settings, options));
}

async function migrate(settings: Settings, { revert, check, generate }: Options): Promise<void> {
  if (check) return checkAll(settings);
  if (generate !== undefined) return print(await generateMigration(settings.environment, generate));
  print(await withDatabase(settings.config, revert ? goBack : goForward));
}

async function goForward(url: string): Promise<string> {
  const ran = await migrateUp(url, SCHEMA);
  return ran.length > 0 ? ran.map((name) => `Ran ${name}`).join('\n') : 'The schema is up to date.';
}

async function goBack(url: string): Promise<string> {
  const reverted = await revertLast(url);
  return reverted === undefined ? 'There is no migration to revert.' : `Reverted ${reverted}`;
}

async function checkAll({ environment }: Settings): Promise<void> {
  const { migrations, problems } = await checkMigrations(environment);
  if (problems.length === 0) {
    return print(`${migrations} migrations make what the entities say, and each can be undone and run again.`);
  }
  print(problems.join('\n'));
  process.exitCode = 1;
}

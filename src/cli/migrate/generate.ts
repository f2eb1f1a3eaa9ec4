import { existsSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { SCHEMA } from '../../schema.js';
import { MIGRATIONS } from '../../../migrations/index.js';
import { migrate } from '../../platform/database/index.js';
import { CliError } from '../cli.error.js';
import { migrationFile } from './migration-file.js';
import { plainIdentifiers } from './plain-identifiers.js';
import { schemaDiff } from './schema-diff.js';
import { withScratchDatabase } from './scratch-database.js';

/** Beside package.json, by the name it gives itself. */
const FOLDER = join(dirname(createRequire(import.meta.url).resolve('#package')), 'migrations');

/**
 * Writes a migration that makes what the entities say and the existing migrations do not: a draft, to be read before it
 * is kept.
 *
 * @returns what to do next, for people
 */
export async function generateMigration(environment: NodeJS.ProcessEnv, name: string): Promise<string> {
  if (!/^[A-Z][A-Za-z0-9]{0,60}$/.test(name)) {
    throw new CliError(`"${name}" is not a name for a migration; it says what it does, such as AddNotesToApiKeys.`);
  }
  if (!existsSync(FOLDER)) throw new CliError(`${FOLDER} is not there: migrations are written where the sources are.`);
  const diff = await withScratchDatabase(environment, async (url) => {
    await migrate(url, SCHEMA);
    const { up, down } = await schemaDiff(url);
    return { up: await plainIdentifiers(url, up), down: await plainIdentifiers(url, down) };
  });
  if (diff.up.length === 0) return 'The migrations make what the entities say: there is nothing to write.';

  const timestamp = nextTimestamp();
  const file = `${timestamp}-${name}`;
  writeFileSync(join(FOLDER, `${file}.ts`), migrationFile(name + timestamp, diff), { flag: 'wx' });
  return [
    `Wrote migrations/${file}.ts. Read it, say in its comment what it is for, and add it to migrations/index.ts:`,
    '',
    `  import { ${name}${timestamp} } from './${file}.js';`,
    `  export const MIGRATIONS = [${[...MIGRATIONS.map((each) => each.name), name + timestamp].join(', ')}];`,
  ].join('\n');
}

/** After every migration there is, whatever this machine's clock says: they run in this order. */
function nextTimestamp(): number {
  const taken = MIGRATIONS.map((each) => Number(/\d+$/.exec(each.name)?.[0] ?? 0));
  return Math.max(Date.now(), ...taken.map((timestamp) => timestamp + 1000));
}

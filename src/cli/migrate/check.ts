import { SCHEMA } from '../../schema.js';
import { migrate } from '../../platform/database/index.js';
import { revertLast } from './revert.js';
import { schemaDiff } from './schema-diff.js';
import { schemaObjects } from './schema-objects.js';
import { withScratchDatabase } from './scratch-database.js';

export interface MigrationCheck {
  /** How many there are. */
  migrations: number;
  /** Each for people, with the SQL or the objects in question; empty when all is well. */
  problems: string[];
}

/** Runs every migration up, down and up again in a scratch database, and compares with the entities. */
export function checkMigrations(environment: NodeJS.ProcessEnv): Promise<MigrationCheck> {
  return withScratchDatabase(environment, async (url) => {
    const ran = await migrate(url, SCHEMA);
    const { up } = await schemaDiff(url);
    return {
      migrations: ran.length,
      problems: [
        ...list('The migrations do not make what the entities say. Missing:', up),
        ...(await thereAndBack(url)),
      ],
    };
  });
}

/** @param url of a database in which every migration has run */
async function thereAndBack(url: string): Promise<string[]> {
  const first = await schemaObjects(url);
  while ((await revertLast(url)) !== undefined);
  const left = await schemaObjects(url);
  if (left.length > 0) return list('These are left when every migration is reverted:', left);
  await migrate(url, SCHEMA);
  const second = await schemaObjects(url);
  return [
    ...list('These are gone when every migration is reverted and run again:', without(first, second)),
    ...list('These are new when every migration is reverted and run again:', without(second, first)),
  ];
}

function list(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : [title, ...lines.map((line) => `  ${line}`)];
}

function without(objects: readonly string[], others: readonly string[]): string[] {
  const known = new Set(others);
  return objects.filter((object) => !known.has(object));
}

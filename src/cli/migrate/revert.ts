import { revertLastMigration } from '../../platform/database/index.js';
import { SCHEMA } from '../../schema.js';
import { CliError } from '../cli.error.js';

/**
 * Undoes the last migration, while no other process migrates.
 *
 * @returns its name, undefined when none has run
 * @throws CliError when it cannot be undone; the schema is as before
 */
export async function revertLast(url: string): Promise<string | undefined> {
  try {
    return await revertLastMigration(url, SCHEMA);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new CliError(`The last migration cannot be reverted: ${reason}`, { cause: error });
  }
}

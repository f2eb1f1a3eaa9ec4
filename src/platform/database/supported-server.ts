import { AppError } from '../../kernel/app-error.js';

/** The first with virtual generated columns. */
const OLDEST_MAJOR = 18;

/** What the server is and how the database keeps text; one row of type `ServerSettings`. */
export const SERVER_SETTINGS = `
  SELECT
    current_setting('server_version_num')::integer AS number,
    current_setting('server_version') AS version,
    current_setting('server_encoding') AS encoding`;

export interface ServerSettings {
  /** `180004` for 18.4. */
  number: number;
  /** For people: `18.4`, often with the packager's words after it. */
  version: string;
  encoding: string;
}

/** DATABASE_URL names a PostgreSQL Holdfast cannot work with. The message is one line on how to mend it. */
export class DatabaseUnsupportedError extends AppError {
  readonly code = 'DATABASE_UNSUPPORTED';
  readonly status = 503;
  readonly title = 'The database is not supported';
}

/**
 * @throws DatabaseUnsupportedError for a PostgreSQL before 18, or a database that cannot hold every character: in those
 *   jsonb refuses `\u00e4` too
 */
export function requireSupportedServer({ number, version, encoding }: ServerSettings): void {
  if (number < OLDEST_MAJOR * 10_000) {
    throw new DatabaseUnsupportedError(
      `PostgreSQL ${OLDEST_MAJOR} or newer is needed; DATABASE_URL is ${version.split(' ')[0]}. Upgrade it, or set DATABASE_URL to a newer one.`,
    );
  }
  if (encoding !== 'UTF8') {
    throw new DatabaseUnsupportedError(
      `A database in UTF8 is needed; the one of DATABASE_URL is in ${encoding}. Make another: CREATE DATABASE holdfast TEMPLATE template0 ENCODING 'UTF8'.`,
    );
  }
}

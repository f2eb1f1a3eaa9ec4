import { existsSync, mkdirSync, realpathSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { explainFileError } from './embedded-postgres.errors.js';
import { SharedPostgres } from './shared-postgres.js';

export interface EmbeddedPostgresOptions {
  /** The cluster lies in `<dataDir>/postgres`, its password in `<dataDir>/postgres.json`. */
  dataDir: string;
  /** Told one line for each event worth a line in the server's log. */
  log?: (line: string) => void;
}

/** A real PostgreSQL 18 on 127.0.0.1, shared by all processes that name the same data folder. */
export interface EmbeddedPostgres {
  /** Stays the same as long as this object lives, also when PostgreSQL is started again. */
  readonly url: string;
  readonly port: number;
  /** Whether this process watches PostgreSQL, starts it again and stops it at the end. Turns true when the owner goes. */
  readonly owned: boolean;
  /** Of the postmaster; changes when it is started again. */
  readonly pid: number;
  /** Stops PostgreSQL if it is ours and no other process uses it; else only lets go of it. */
  stop(): Promise<void>;
}

/**
 * Starts PostgreSQL on the data folder, adopts the one that is running there, or attaches to another process's.
 * @throws EmbeddedPostgresError with one sentence on how to mend what is wrong
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  try {
    makeFolder(resolve(options.dataDir));
    const dataDir = realpathSync(options.dataDir);
    return await new SharedPostgres(dataDir, options.log ?? (() => undefined)).join();
  } catch (error) {
    throw explainFileError(error, options.dataDir);
  }
}

/** Folder by folder: told to do it recursively on a read-only or virtual file system, Node 20 says ENOENT or never ends. */
function makeFolder(path: string): void {
  if (existsSync(path)) return;
  makeFolder(dirname(path));
  try {
    mkdirSync(path);
  } catch (error) {
    // Another process may have been faster.
    if (!existsSync(path)) throw error;
  }
}

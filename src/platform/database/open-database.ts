import type { Config } from '../../config/index.js';

export interface OpenDatabase {
  url: string;
  embedded: boolean;
  /** Stops PostgreSQL if it is the embedded one and this process runs it. */
  stop(): Promise<void>;
}

/** The PostgreSQL of `DATABASE_URL`, or without one the embedded PostgreSQL, started under `DATA_DIR`. */
export async function openDatabase(config: Config, log: (line: string) => void): Promise<OpenDatabase> {
  if (config.DATABASE_URL) return { url: config.DATABASE_URL, embedded: false, stop: async () => undefined };
  // Production has one of its own, and does not load this.
  const { startEmbeddedPostgres } = await import('../embedded-postgres/index.js');
  const postgres = await startEmbeddedPostgres({ dataDir: config.dataDir, log });
  return { url: postgres.url, embedded: true, stop: () => postgres.stop() };
}

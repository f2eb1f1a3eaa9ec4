import { join } from 'node:path';
import pg from 'pg';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../src/platform/embedded-postgres/index.js';
import { familyCpuSeconds } from './cpu-seconds.js';

/** Longest wait for the work that a stretch of load leaves behind. */
const SETTLE_TIMEOUT_MS = 120_000;

let version = 'unknown';

/** Of the PostgreSQL that was started last. */
export function embeddedVersion(): string {
  return version;
}

/** A fresh PostgreSQL as we ship it, with the settings that make a commit durable. */
export class BenchDatabase {
  private constructor(
    private readonly postgres: EmbeddedPostgres,
    private readonly client: pg.Client,
  ) {}

  /** @throws Error when the durable settings are not on */
  static async start(folder: string): Promise<BenchDatabase> {
    const postgres = await startEmbeddedPostgres({ dataDir: join(folder, 'database') });
    const client = new pg.Client({ connectionString: postgres.url });
    await client.connect();
    const database = new BenchDatabase(postgres, client);
    const [settings] = await database.query<{ version: string; fsync: string; commit: string }>(
      `SELECT current_setting('server_version') AS version, current_setting('fsync') AS fsync,
              current_setting('synchronous_commit') AS commit`,
    );
    if (settings?.fsync !== 'on' || settings.commit !== 'on')
      throw new Error('PostgreSQL runs without durable commits');
    version = settings.version;
    return database;
  }

  get url(): string {
    return this.postgres.url;
  }

  async query<Row extends pg.QueryResultRow>(sql: string, parameters: unknown[] = []): Promise<Row[]> {
    return (await this.client.query<Row>(sql, parameters)).rows;
  }

  /** Of the postmaster and everything it started. */
  cpuSeconds(): number {
    return familyCpuSeconds(this.postgres.pid);
  }

  /** Audit lines that are not chained yet. */
  async unsealedLines(): Promise<number> {
    const [row] = await this.query<{ lines: number }>(
      'SELECT count(*)::float8 AS lines FROM audit_log WHERE hash IS NULL',
    );
    return row?.lines ?? 0;
  }

  /**
   * Ours and the reference start from the same state: nothing left to seal, no vacuum due, no dirty pages. Else each
   * would pay for the work of the one before.
   */
  async settle(): Promise<void> {
    for (const deadline = Date.now() + SETTLE_TIMEOUT_MS; (await this.unsealedLines()) > 0; await pause(200)) {
      if (Date.now() > deadline) throw new Error(`Audit lines are still unsealed after ${SETTLE_TIMEOUT_MS / 1000} s`);
    }
    await this.query('VACUUM ANALYZE');
    await this.query('CHECKPOINT');
  }

  async stop(): Promise<void> {
    await this.client.end();
    await this.postgres.stop();
  }
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

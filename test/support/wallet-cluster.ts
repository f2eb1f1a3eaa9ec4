import { Pool, type QueryResultRow } from 'pg';
import { createTestDatabase } from './database.js';
import { startServer, type TestServer } from './server.js';
import { UNLIMITED, WalletClient } from './wallet-client.js';

/** Servers over one database, and a look into that database past them. */
export class WalletCluster {
  private readonly servers: TestServer[] = [];
  private readonly pool: Pool;

  private constructor(
    private readonly databaseUrl: string,
    private readonly drop: () => Promise<void>,
  ) {
    this.pool = new Pool({ connectionString: databaseUrl, max: 2 });
    // The database may be killed underneath on purpose; the next query tells.
    this.pool.on('error', () => undefined);
  }

  /** @param databaseUrl of a migrated database; without it the cluster makes one and drops it */
  static async create(databaseUrl?: string): Promise<WalletCluster> {
    if (databaseUrl !== undefined) return new WalletCluster(databaseUrl, async () => undefined);
    const database = await createTestDatabase();
    return new WalletCluster(database.url, () => database.drop());
  }

  async start(env: Record<string, string> = {}): Promise<TestServer> {
    const server = await startServer({
      env: { DATABASE_URL: this.databaseUrl, DB_POOL_SIZE: '8', ...UNLIMITED, ...env },
    });
    this.servers.push(server);
    return server;
  }

  /** One for each server that runs. */
  get wallets(): WalletClient[] {
    return this.servers.filter(({ hasExited }) => !hasExited).map((server) => new WalletClient(server));
  }

  /** Of the servers that run, each in its turn. */
  wallet(turn: number): WalletClient {
    const { wallets } = this;
    const wallet = wallets[turn % wallets.length];
    if (!wallet) throw new Error('No server runs');
    return wallet;
  }

  /** What the servers wrote about a request. */
  logsOf(requestId: string): string {
    const lines = this.servers.flatMap((server) => server.output().split('\n'));
    return lines.filter((line) => line.includes(requestId)).join('\n');
  }

  async query<Row extends QueryResultRow>(sql: string, parameters: unknown[] = []): Promise<Row[]> {
    return (await this.pool.query<Row>(sql, parameters)).rows;
  }

  async end(): Promise<void> {
    await Promise.all(this.servers.splice(0).map((server) => server.kill('SIGKILL')));
    await this.pool.end();
    await this.drop();
  }
}

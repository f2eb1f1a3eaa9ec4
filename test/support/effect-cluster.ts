import { Pool, type QueryResultRow } from 'pg';
import { createTestDatabase } from './database.js';
import { sendEvent } from './effect-event.js';
import { EFFECT_SCHEMA, type EffectRow } from './effect-schema.js';
import { type Answer, call } from './http-answer.js';
import { startServer, type TestServer } from './server.js';
import { SECRETS } from './signing.js';
import { waitFor } from './wait-for.js';
import type { StripeEvent } from './webhook-sender.js';

export interface AttemptRow {
  attempt: number;
  outcome: string;
  error: string | null;
  started_at: Date;
  duration_ms: number;
  worker: string;
}

export interface EventRow {
  id: string;
  status: string;
  attempts: number;
  retry_count: number;
  error_message: string | null;
  claimed_by: string | null;
  next_attempt_at: Date | null;
  updated_at: Date;
}

/** So that retries and recovery take parts of a second. A lease must outlast the processing time. */
const QUICK = {
  STRIPE_WEBHOOK_SECRET: SECRETS.stripe,
  WEBHOOK_RATE_LIMIT_PER_MINUTE: '0',
  WEBHOOK_RETRY_BASE_MS: '50',
  SWEEP_INTERVAL_MS: '50',
  DB_POOL_SIZE: '12',
};

/** Servers with the handlers of `effect-server.ts` over one database, and a look into that database past them. */
export class EffectCluster {
  private readonly servers: TestServer[] = [];
  private readonly pool: Pool;

  private constructor(
    readonly databaseUrl: string,
    private readonly drop: () => Promise<void>,
  ) {
    this.pool = new Pool({ connectionString: databaseUrl, max: 4 });
    // The database may be killed underneath on purpose; the next query tells.
    this.pool.on('error', () => undefined);
  }

  /** @param databaseUrl of a migrated database; without it the cluster makes one and drops it */
  static async create(databaseUrl?: string): Promise<EffectCluster> {
    const database = databaseUrl === undefined ? await createTestDatabase() : undefined;
    const cluster = new EffectCluster(databaseUrl ?? database?.url ?? '', async () => database?.drop());
    await cluster.query(EFFECT_SCHEMA);
    return cluster;
  }

  async start(env: Record<string, string> = {}): Promise<TestServer> {
    const server = await startServer({
      env: { DATABASE_URL: this.databaseUrl, ...QUICK, ...env },
      entry: 'test/support/effect-server.ts',
    });
    this.servers.push(server);
    return server;
  }

  /** kill -9 of every server that still runs. */
  async killServers(): Promise<void> {
    await Promise.all(this.servers.splice(0).map((server) => server.kill('SIGKILL')));
  }

  async end(): Promise<void> {
    await this.killServers();
    await this.pool.end();
    await this.drop();
  }

  async query<Row extends QueryResultRow>(sql: string, parameters: unknown[] = []): Promise<Row[]> {
    return (await this.pool.query<Row>(sql, parameters)).rows;
  }

  /** A Stripe source beside the one called `stripe`, known to every server when it resolves. */
  async createSource(name: string, settings: Record<string, unknown>): Promise<void> {
    const [server] = this.servers;
    if (!server) throw new Error('Start a server first');
    const source = { name, provider: 'stripe', secret: SECRETS.stripe, ...settings };
    const { status, text } = await call(server, 'POST', '/api/webhook-sources', source);
    if (status !== 201) throw new Error(`Answered ${status}: ${text}`);
    await waitFor(async () => {
      const path = `/webhooks/${name}`;
      const answers = await Promise.all(this.servers.map(({ url }) => fetch(url + path, { method: 'POST' })));
      return answers.every((answer) => answer.status !== 404);
    });
  }

  /** Sends it and expects it to be taken in. */
  async accept(server: TestServer, event: StripeEvent, source = 'stripe'): Promise<Answer> {
    const answer = await sendEvent(server.url, event, source);
    if (answer.status !== 200) throw new Error(`Answered ${answer.status}: ${answer.text}`);
    return answer;
  }

  async event(eventId: string): Promise<EventRow | undefined> {
    const [row] = await this.query<EventRow>('SELECT * FROM webhook_events WHERE event_id = $1', [eventId]);
    return row;
  }

  /** Resolves with the event once it has this status. */
  untilStatus({ id }: StripeEvent, status: string, timeout = 20_000): Promise<EventRow> {
    return waitFor(
      async () => {
        const row = await this.event(id);
        if (row?.status !== status) throw new Error(`It is ${row?.status} after ${row?.attempts} attempts`);
        return row;
      },
      { timeout, what: `${id} to be ${status}` },
    );
  }

  /** Resolves once every event in the table has this status. */
  async untilAll(status: string, timeout = 20_000): Promise<void> {
    await waitFor(
      async () => {
        const rows = await this.query<{ status: string; count: number }>(
          'SELECT status, count(*)::integer AS count FROM webhook_events GROUP BY status',
        );
        if (rows.length === 1 && rows[0]?.status === status) return true;
        throw new Error(`They are ${JSON.stringify(rows)}`);
      },
      { timeout, what: `all events to be ${status}` },
    );
  }

  attempts(eventId: string): Promise<AttemptRow[]> {
    return this.query<AttemptRow>(
      `SELECT a.* FROM webhook_attempts a JOIN webhook_events e ON e.id = a.event WHERE e.event_id = $1 ORDER BY attempt`,
      [eventId],
    );
  }

  /** In the order they were written. @param eventId of all events without it */
  effects(eventId?: string): Promise<EffectRow[]> {
    return this.query<EffectRow>('SELECT * FROM effects WHERE $1::text IS NULL OR event_id = $1 ORDER BY n', [
      eventId ?? null,
    ]);
  }

  /** Events whose effect did not happen exactly once. */
  async wrongEffects(): Promise<{ event_id: string; effects: number }[]> {
    return this.query(
      `SELECT e.event_id, count(f.n)::integer AS effects
       FROM webhook_events e LEFT JOIN effects f USING (event_id)
       GROUP BY e.event_id HAVING count(f.n) <> 1`,
    );
  }
}

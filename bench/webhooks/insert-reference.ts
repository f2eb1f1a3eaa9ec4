import { VoidRun } from '../bench.js';
import { eventBody } from '../requests/signed-events.js';
import type { BenchDatabase } from '../stage/bench-database.js';
import { pgbench } from '../stage/pgbench.js';

const CLIENTS = 32;

/** What anybody would need at the least to keep an event: its id, its payload and the time. */
const TABLE = `
  CREATE TABLE IF NOT EXISTS bench_reference (
    id text PRIMARY KEY,
    payload jsonb NOT NULL,
    received_at timestamptz NOT NULL
  )`;

/** The id and the 1 KB of JSON travel with each insert, as they must from any server; the ids are random behind a prefix. */
const INSERT = `\\set number random(1, 9000000000000000000)
INSERT INTO bench_reference (id, payload, received_at) VALUES (:prefix || :number, :payload, now());
`;

/**
 * The rate at which this PostgreSQL commits one single-row insert per transaction.
 *
 * @throws VoidRun when a transaction failed or its row is missing
 */
export async function insertReference(database: BenchDatabase, seconds: number): Promise<number> {
  await database.query(TABLE);
  await database.settle();
  const before = await rows(database);
  const prefix = `evt_${Date.now().toString(36)}`;
  const payload = eventBody(prefix, Math.floor(Date.now() / 1000));
  const result = await pgbench({
    databaseUrl: database.url,
    script: INSERT,
    variables: { prefix, payload },
    clients: CLIENTS,
    seconds,
  });
  const inserted = (await rows(database)) - before;
  if (inserted !== result.transactions) {
    throw new VoidRun(`pgbench counted ${result.transactions} transactions, its table grew by ${inserted} rows`);
  }
  return result.perSecond;
}

async function rows(database: BenchDatabase): Promise<number> {
  const [row] = await database.query<{ count: number }>('SELECT count(*)::float8 AS count FROM bench_reference');
  return row?.count ?? 0;
}

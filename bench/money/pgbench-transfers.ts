import { VoidRun } from '../bench.js';
import { HOT_USER } from '../requests/planned-transfers.js';
import { USERS } from '../requests/users.js';
import type { BenchDatabase } from '../stage/bench-database.js';
import { pgbench } from '../stage/pgbench.js';

const CLIENTS = 32;
/** Of each account. */
const FUNDS = 1_000_000_000;

/** What anybody would need at the least: a balance that cannot fall below zero, and its history by account. Pages as ours. */
const TABLES = `
  CREATE TABLE IF NOT EXISTS bench_accounts (
    id integer PRIMARY KEY,
    balance bigint NOT NULL CHECK (balance >= 0)
  ) WITH (fillfactor = 50);
  CREATE TABLE IF NOT EXISTS bench_entries (
    id bigint GENERATED ALWAYS AS IDENTITY,
    account integer NOT NULL,
    amount bigint NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (account, id)
  );
  INSERT INTO bench_accounts (id, balance)
  SELECT number, ${FUNDS} FROM generate_series(1, ${USERS}) AS number
  ON CONFLICT DO NOTHING`;

/**
 * Two accounts, one of them the hot one if there is one. The lower id comes first, as it must where transfers in both
 * directions meet: else they deadlock.
 */
const transfer = (first: string) => `\\set one ${first}
\\set other 1 + (:one + random(0, ${USERS - 2})) % ${USERS}
\\set amount random(100, 999) * (1 - 2 * random(0, 1))
\\set low least(:one, :other)
\\set high greatest(:one, :other)
BEGIN;
UPDATE bench_accounts SET balance = balance - :amount WHERE id = :low;
UPDATE bench_accounts SET balance = balance + :amount WHERE id = :high;
INSERT INTO bench_entries (account, amount) VALUES (:low, -1 * :amount);
INSERT INTO bench_entries (account, amount) VALUES (:high, :amount);
COMMIT;
`;

interface Books {
  entries: number;
  sum: number;
  balances: number;
  /** Accounts that do not have what their entries say. */
  wrong: number;
}

const BOOKS = `
  SELECT
    (SELECT count(*) FROM bench_entries)::float8 AS entries,
    (SELECT coalesce(sum(amount), 0) FROM bench_entries)::float8 AS sum,
    sum(balance)::float8 AS balances,
    count(*) FILTER (WHERE balance <> ${FUNDS} + coalesce(booked.amount, 0))::float8 AS wrong
  FROM bench_accounts
  LEFT JOIN (SELECT account, sum(amount) AS amount FROM bench_entries GROUP BY account) AS booked ON account = id`;

/**
 * The rate at which this PostgreSQL commits one transfer per transaction: two updates, two entries.
 *
 * @param hot whether all transfers have one account on one side
 * @throws VoidRun when a transaction failed, or the books do not agree with what was committed
 */
export async function transferReference(database: BenchDatabase, seconds: number, hot: boolean): Promise<number> {
  await database.query(TABLES);
  await database.settle();
  const before = await books(database);
  const result = await pgbench({
    databaseUrl: database.url,
    script: transfer(hot ? String(HOT_USER) : `random(1, ${USERS})`),
    variables: {},
    clients: CLIENTS,
    seconds,
  });
  const after = await books(database);
  const expected: Books = {
    entries: before.entries + 2 * result.transactions,
    sum: 0,
    balances: FUNDS * USERS,
    wrong: 0,
  };
  if (JSON.stringify(after) === JSON.stringify(expected)) return result.perSecond;
  throw new VoidRun(`After pgbench: ${JSON.stringify(after)} instead of ${JSON.stringify(expected)}`);
}

async function books(database: BenchDatabase): Promise<Books> {
  const [row] = await database.query<Books & Record<string, number>>(BOOKS);
  if (!row) throw new Error('The reference has no tables');
  return row;
}

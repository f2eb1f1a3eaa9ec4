import type { DataSource, EntityManager, QueryRunner } from 'typeorm';
import type { PoolClient } from 'pg';
import { TransactionEndedError } from './transaction-ended.error.js';

/** A statement that each connection parses and plans once. */
export interface PreparedStatement {
  /** Unique among the statements of the process; PostgreSQL cuts names at 63 bytes. */
  readonly name: string;
  readonly text: string;
}

/**
 * For the statements of hot paths: TypeORM sends every query unnamed, so that PostgreSQL parses and plans it anew each
 * time, half a millisecond for a statement of twenty columns.
 */
export function prepared(name: string, text: string): PreparedStatement {
  return { name, text };
}

const sealed = new WeakSet<QueryRunner>();

/** No prepared statement goes through this runner any more: its transaction is over. */
export function sealPrepared(runner: QueryRunner): void {
  sealed.add(runner);
}

/**
 * Runs a prepared statement on the connection of `runner`, inside its transaction if it is in one.
 *
 * @returns its rows
 * @throws TransactionEndedError once the transaction of `runner` is over
 * @throws the driver's error
 */
export async function runPrepared<Row extends object>(
  runner: QueryRunner,
  { name, text }: PreparedStatement,
  values: unknown[],
): Promise<Row[]> {
  const client: PoolClient = await runner.connect();
  // Only now: a released runner hands out its connection all the same, which somebody else may have, and a transaction
  // that was given up on may have ended while this waited.
  if (runner.isReleased || sealed.has(runner)) throw new TransactionEndedError();
  return (await client.query<Row>({ name, text, values })).rows;
}

/**
 * Runs a prepared statement on a connection of its own: PostgreSQL commits it by itself.
 *
 * @returns its rows
 * @throws the driver's error
 */
export async function runPreparedAlone<Row extends object>(
  dataSource: DataSource,
  statement: PreparedStatement,
  values: unknown[],
): Promise<Row[]> {
  const runner = dataSource.createQueryRunner();
  try {
    return await runPrepared<Row>(runner, statement, values);
  } finally {
    await runner.release();
  }
}

/**
 * The connection of a transaction, for what must be written together with something else or not at all.
 *
 * @throws TypeError when `tx` is not inside a transaction
 */
export function runnerOf({ queryRunner }: EntityManager): QueryRunner {
  if (!queryRunner?.isTransactionActive) throw new TypeError('This is written inside a transaction only');
  return queryRunner;
}

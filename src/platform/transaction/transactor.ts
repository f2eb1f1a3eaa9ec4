import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager, type QueryRunner } from 'typeorm';
import { setTimeout as delay } from 'node:timers/promises';
import { AppError } from '../../kernel/app-error.js';
import { Metrics } from '../metrics/index.js';
import {
  isDatabaseUnavailable,
  isRefusedCommit,
  isSerializationFailure,
  type PreparedStatement,
  runPreparedAlone,
  sealPrepared,
  TransactionEndedError,
} from '../database/index.js';
import { noteLock } from './held-lock.js';
import { CommitOutcomeUnknownError } from './commit-outcome-unknown.error.js';
import { type Lane, Turns } from './turns.js';

export type IsolationLevel = 'READ COMMITTED' | 'REPEATABLE READ' | 'SERIALIZABLE';

export interface TransactionOptions {
  /** Default SERIALIZABLE: the level at which a forgotten lock costs a retry, not money. */
  isolation?: IsolationLevel;
  /** How often to run the work in all, first time included. Default 5. */
  attempts?: number;
  /**
   * A table to lock before anything is read, in EXCLUSIVE mode: one such transaction at a time, the others wait. LOCK
   * TABLE takes no snapshot, so the work sees what the one before it committed, and no SERIALIZABLE transaction has to run
   * again for having waited. The lock goes with the transaction, however that ends, and whoever holds it and falls silent
   * for five seconds (the process hangs or is stopped) loses both. A name of the program's own.
   *
   * Those of this process wait before they take a connection, see `Turns`.
   */
  lockTable?: string;
  /** Of those that wait for `lockTable` in this process, groups and single transactions alternate. Default `single`. */
  lane?: Lane;
}

/** `refused`: the work said no (4xx), and nothing is wrong. A single statement counts only when it does not commit. */
const OUTCOMES = ['committed', 'refused', 'retried', 'failed'] as const;

const DEFAULT_ATTEMPTS = 5;

/** The first retry waits about this long, each further one twice as long, ±50 % so that rivals do not meet again. */
const BASE_DELAY_MS = 5;

/**
 * Opens every transaction of the system. The work gets the transaction as its argument and passes it on to each
 * repository; there is no ambient transaction to lose.
 */
@Injectable()
export class Transactor {
  private readonly ended;
  private readonly turns = new Turns();

  constructor(
    private readonly dataSource: DataSource,
    metrics: Metrics,
  ) {
    this.ended = metrics.counter('holdfast_transactions_total', 'Transactions by how they ended', ['outcome']);
    // A rate needs to see the first one.
    for (const outcome of OUTCOMES) this.ended.inc({ outcome }, 0);
  }

  /**
   * Runs `work` in a transaction and commits it. On a serialization failure (40001) or a deadlock (40P01) the whole
   * work runs again, so it must have no effect outside `tx`.
   *
   * Once `work` has settled, every later query through `tx` is refused: work that was given up on (it lost a race
   * against a deadline) may still be running, and after ROLLBACK its next query would commit all by itself.
   *
   * @returns what the committed run of `work` returned
   * @throws what `work` threw (rolled back), or the last serialization failure once `attempts` are used up
   * @throws CommitOutcomeUnknownError, or the driver's error of a broken connection: it may have been committed
   */
  run<T>(work: (tx: EntityManager) => Promise<T>, options: TransactionOptions = {}): Promise<T> {
    const { isolation = 'SERIALIZABLE', attempts = DEFAULT_ATTEMPTS, lockTable, lane = 'single' } = options;
    return this.retrying(
      () =>
        lockTable === undefined
          ? this.once(work, isolation, undefined)
          : this.inTurn(lockTable, lane, () => this.once(work, isolation, lockTable)),
      attempts,
    );
  }

  /**
   * Runs one statement, which PostgreSQL commits as a transaction of its own (READ COMMITTED): one round trip where
   * `run` needs three. For hot paths whose whole effect fits into a single statement.
   *
   * @returns its rows
   */
  statement<Row extends object>(statement: string | PreparedStatement, parameters: unknown[]): Promise<Row[]> {
    return this.retrying(
      () =>
        typeof statement === 'string'
          ? this.dataSource.query<Row[]>(statement, parameters)
          : runPreparedAlone<Row>(this.dataSource, statement, parameters),
      DEFAULT_ATTEMPTS,
    );
  }

  /**
   * The same for a statement of which only the number of rows matters that it wrote.
   *
   * @returns how many it inserted, updated or deleted
   */
  affected(sql: string, parameters: unknown[]): Promise<number> {
    return this.retrying(() => affectedBy(this.dataSource, sql, parameters), DEFAULT_ATTEMPTS);
  }

  private async inTurn<T>(lockTable: string, lane: Lane, attemptOnce: () => Promise<T>): Promise<T> {
    const leave = await this.turns.take(lockTable, lane);
    try {
      return await attemptOnce();
    } finally {
      leave();
    }
  }

  private async once<T>(
    work: (tx: EntityManager) => Promise<T>,
    isolation: IsolationLevel,
    lockTable: string | undefined,
  ): Promise<T> {
    const runner = this.dataSource.createQueryRunner();
    try {
      await begin(runner, isolation, lockTable);
      if (lockTable !== undefined) noteLock(runner, lockTable);
      const result = await sealedAfter(runner.manager, work);
      await commit(runner);
      this.ended.inc({ outcome: 'committed' });
      return result;
    } catch (error) {
      // A connection that is gone has rolled back already.
      await runner.rollbackTransaction().catch(() => undefined);
      throw error;
    } finally {
      await runner.release();
    }
  }

  private async retrying<T>(attemptOnce: () => Promise<T>, attempts: number): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await attemptOnce();
      } catch (error) {
        const isAgain = attempt < attempts && isSerializationFailure(error);
        this.ended.inc({ outcome: isAgain ? 'retried' : error instanceof AppError ? 'refused' : 'failed' });
        if (!isAgain) throw error;
        await delay(BASE_DELAY_MS * 2 ** (attempt - 1) * (0.5 + Math.random()));
      }
    }
  }
}

/** Through a runner: only it says how many rows of whatever statement. */
async function affectedBy(dataSource: DataSource, sql: string, parameters: unknown[]): Promise<number> {
  const runner = dataSource.createQueryRunner();
  try {
    return (await runner.query(sql, parameters, true)).affected ?? 0;
  } finally {
    await runner.release();
  }
}

/** Milliseconds. A process that works on asks its next question in a fraction of it. */
const LOCKED_IDLE_TIMEOUT = 5000;

/** In one round trip, where TypeORM takes two and the lock a third: 0.1 ms each. */
async function begin(runner: QueryRunner, isolation: IsolationLevel, lockTable: string | undefined): Promise<void> {
  const { query } = runner;
  const lock =
    lockTable === undefined
      ? ''
      : `; SET LOCAL idle_in_transaction_session_timeout = ${LOCKED_IDLE_TIMEOUT}; LOCK TABLE ${lockTable} IN EXCLUSIVE MODE`;
  runner.query = () => query.call(runner, `START TRANSACTION ISOLATION LEVEL ${isolation}${lock}`);
  try {
    await runner.startTransaction();
  } finally {
    runner.query = query;
  }
}

/** A COMMIT that PostgreSQL refused is a ROLLBACK; one that broke off may have happened, and must not be run again. */
async function commit(runner: QueryRunner): Promise<void> {
  try {
    await runner.commitTransaction();
  } catch (error) {
    if (isRefusedCommit(error) || isDatabaseUnavailable(error)) throw error;
    throw new CommitOutcomeUnknownError(error);
  }
}

async function sealedAfter<T>(tx: EntityManager, work: (tx: EntityManager) => Promise<T>): Promise<T> {
  try {
    return await work(tx);
  } finally {
    seal(tx);
  }
}

/** Lets through what ends the transaction and nothing else. The query runner is this transaction's alone. */
function seal({ queryRunner }: EntityManager): void {
  if (!queryRunner) return;
  sealPrepared(queryRunner);
  const query = queryRunner.query.bind(queryRunner);
  queryRunner.query = async (sql: string, parameters?: unknown[]) => {
    if (sql !== 'COMMIT' && sql !== 'ROLLBACK') throw new TransactionEndedError();
    return query(sql, parameters);
  };
}

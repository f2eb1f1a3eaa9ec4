import type { EntityManager, QueryRunner } from 'typeorm';

/** By the transaction's runner, which is its alone and ends with it. */
const LOCKS = new WeakMap<QueryRunner, string>();

/** The transaction that has just begun on `runner` did so with this table locked. */
export function noteLock(runner: QueryRunner, table: string): void {
  LOCKS.set(runner, table);
}

/** Whether the transaction began with `lockTable` of this name: then it need not ask for the lock again. */
export function holdsLock({ queryRunner }: EntityManager, table: string): boolean {
  return queryRunner !== undefined && LOCKS.get(queryRunner) === table;
}

import type { Client } from 'pg';

/** The part of `pg.Pool` this needs; TypeORM's driver keeps the pool as `master`. */
export interface ReleasingPool {
  on(event: 'release', listener: (error: Error | undefined, client: Client) => void): unknown;
}

/**
 * Ends a connection that comes back to the pool inside a transaction. Its ROLLBACK was never sent (a query before it
 * timed out on our side) or took back a savepoint only; the next user would read, write and "commit" inside a
 * transaction that somebody else rolls away, and acknowledged would no longer mean committed.
 */
export function discardOpenTransactions(pool: ReleasingPool): void {
  pool.on('release', (error, client) => {
    if (!error && client.getTransactionStatus() !== 'I') client.end(() => undefined);
  });
}

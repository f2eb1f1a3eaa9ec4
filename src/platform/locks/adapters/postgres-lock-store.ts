import { randomUUID } from 'node:crypto';
import { PROCESS_NAME } from '../../../kernel/process-name.js';
import { prepared } from '../../database/index.js';
import { Every } from '../../schedule/index.js';
import type { Transactor } from '../../transaction/index.js';
import type { HeldLock, LockStore } from '../lock-store.js';

/**
 * The read before the insert is for those who come in vain: it costs them no row lock, no write and no wait for the disk.
 * The token is made where the row is locked, so that nobody who waited for it brings an older one along. Index:
 * locks_pkey.
 */
const ACQUIRE = prepared(
  'lock_acquire',
  `INSERT INTO locks AS lock (key, owner, holder, fencing_token, expires_at)
   SELECT
     $1::text, $2::uuid, $3::text,
     (extract(epoch FROM clock_timestamp()) * 1000000)::bigint,
     clock_timestamp() + $4::float8 * interval '1 millisecond'
   WHERE NOT EXISTS (SELECT FROM locks WHERE key = $1::text AND expires_at > clock_timestamp())
   ON CONFLICT (key) DO UPDATE SET
     owner = excluded.owner,
     holder = excluded.holder,
     fencing_token = greatest(
       lock.fencing_token + 1,
       (extract(epoch FROM clock_timestamp()) * 1000000)::bigint
     ),
     expires_at = clock_timestamp() + $4::float8 * interval '1 millisecond'
     WHERE lock.expires_at <= clock_timestamp()
   RETURNING fencing_token AS token`,
);

/** Index: locks_pkey. */
const RENEW = prepared(
  'lock_renew',
  `UPDATE locks
   SET expires_at = clock_timestamp() + $3::float8 * interval '1 millisecond'
   WHERE key = $1 AND owner = $2 AND expires_at > clock_timestamp()
   RETURNING key`,
);

/** Index: locks_pkey. */
const RELEASE = prepared(
  'lock_release',
  `UPDATE locks
   SET expires_at = clock_timestamp()
   WHERE key = $1 AND owner = $2 AND expires_at > clock_timestamp()
   RETURNING key`,
);

/** Few rows an hour and nobody waits for it: no index, the table is read through. */
const REMOVE_OLD = prepared(
  'lock_remove_old',
  `DELETE FROM locks
   WHERE key IN (
     SELECT key FROM locks WHERE expires_at < now() - interval '1 day' ORDER BY key LIMIT $1 FOR UPDATE SKIP LOCKED
   )
   RETURNING key`,
);

/**
 * Locks as rows of `locks`, by the database's clock. A grant is as durable as any commit: it survives a crash of
 * PostgreSQL, and a failover to a standby that had it. Fencing tokens of a key grow for ever, through release, expiry and
 * removal of the row, as long as the database's clock is not set back by more than a day.
 */
export class PostgresLockStore implements LockStore {
  constructor(private readonly transactor: Transactor) {}

  async acquire(key: string, ttlMs: number): Promise<HeldLock | null> {
    const owner = randomUUID();
    const [row] = await this.transactor.statement<{ token: string }>(ACQUIRE, [key, owner, PROCESS_NAME, ttlMs]);
    return row ? { key, owner, fencingToken: BigInt(row.token) } : null;
  }

  async renew({ key, owner }: HeldLock, ttlMs: number): Promise<boolean> {
    return (await this.transactor.statement(RENEW, [key, owner, ttlMs])).length > 0;
  }

  async release({ key, owner }: HeldLock): Promise<boolean> {
    return (await this.transactor.statement(RELEASE, [key, owner])).length > 0;
  }

  /**
   * Forgets keys that nobody has locked for a day; by then the clock alone keeps their tokens growing. Also after a change
   * to Redis.
   *
   * @returns how many, `limit` at most
   */
  @Every(3_600_000, { name: 'old locks', role: 'background', batch: 10_000 })
  async removeOld(limit: number): Promise<number> {
    return (await this.transactor.statement(REMOVE_OLD, [limit])).length;
  }
}

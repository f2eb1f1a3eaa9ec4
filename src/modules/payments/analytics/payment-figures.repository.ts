import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { UnavailableError } from '../../../kernel/app-error.js';
import { isStatementTimeout } from '../../../platform/database/index.js';
import { READ_COMMITTED, Transactor } from '../../../platform/transaction/index.js';
import { PAYMENT_PROVIDERS, type PaymentMode, type PaymentProviderName } from '../payment.js';
import { clearingOwner } from '../payment-books.js';
import { COUNTS, hoursOf, VOLUMES } from './payment-events.js';

export type Bucket = 'hour' | 'day';

type Figure = (typeof COUNTS)[number] | (typeof VOLUMES)[number];

/** Figures of a bucket; whole numbers of any size, as text. */
export interface FiguresRow extends Record<Figure, string> {
  /** The beginning of the bucket. */
  readonly at: Date;
  /** Null unless the figures are by provider. */
  readonly provider: PaymentProviderName | null;
  readonly currency: string;
}

/** Which figures. `from` and `to` are beginnings of buckets. */
export interface FiguresQuestion {
  readonly from: Date;
  readonly to: Date;
  readonly bucket: Bucket;
  readonly mode: PaymentMode;
  readonly byProvider: boolean;
}

export interface Progress {
  /** All hours before it are kept, and never change; null before the first. */
  readonly finalTo: Date | null;
  readonly now: Date;
}

const COLUMNS = [...COUNTS, ...VOLUMES];

/** Whoever else is at it goes on: what one adds the next need not. */
const LOCK = `SELECT final_to AS "finalTo" FROM payment_hours_progress FOR UPDATE SKIP LOCKED`;

/**
 * Up to where hours are over for good. Every event has a time that is not before the beginning of its transaction, so nothing comes into
 * an hour any more once all have ended that began in it or before. One whose beginning we may not see, of another role, counts as early.
 * Vacuum has no user, and brings nothing. The minute is for a transaction that is about to say when it began.
 */
const OVER = `
  SELECT date_trunc('hour', least(clock_timestamp() - interval '1 minute', min(began)), 'UTC') AS "over"
  FROM (
    SELECT CASE WHEN coalesce(holder.state, 'disabled') = 'disabled' THEN '-infinity' ELSE holder.xact_start END AS began
    FROM pg_locks AS lock
    JOIN pg_stat_activity AS holder ON holder.pid = lock.pid
    WHERE lock.locktype = 'virtualxid' AND lock.mode = 'ExclusiveLock' AND lock.granted
      AND holder.datname = current_database() AND holder.usesysid IS NOT NULL AND holder.pid <> pg_backend_pid()
  ) AS others`;

/** Up to there at most `$3` hours; from the first payment if there is no beginning. Index: payments_created_at_idx. */
const NEXT = `
  SELECT starts, least(starts + $3 * interval '1 hour', $2::timestamptz) AS ends,
    (extract(epoch FROM least(starts + $3 * interval '1 hour', $2::timestamptz) - starts) / 3600)::integer AS hours
  FROM (
    SELECT coalesce($1::timestamptz, (SELECT date_trunc('hour', min(created_at), 'UTC') FROM payments)) AS starts
  ) AS first
  WHERE starts < $2::timestamptz`;

const ADD = `
  WITH RECURSIVE span AS MATERIALIZED (SELECT $1::timestamptz AS starts, $2::timestamptz AS ends), ${hoursOf('$3')}
  INSERT INTO payment_hours (hour, mode, provider, currency, ${COLUMNS.join(', ')})
  SELECT hour, mode, provider, currency, ${COLUMNS.join(', ')} FROM hours`;

const ADVANCE = `UPDATE payment_hours_progress SET final_to = $1`;

const PROGRESS = `SELECT final_to AS "finalTo", clock_timestamp() AS now FROM payment_hours_progress`;

/**
 * Hours that are over from where they are kept, the others from what happened in them, of one moment: the hours that a sweep adds
 * meanwhile are in neither twice. Index: payment_hours_pkey; the events have theirs.
 */
const READ = `
  WITH RECURSIVE span AS MATERIALIZED (
    SELECT least(greatest(final_to, $1::timestamptz), $2::timestamptz) AS starts, $2::timestamptz AS ends
    FROM payment_hours_progress
  ), ${hoursOf('$3')},
  every_hour AS (
    SELECT hour, mode, provider, currency, ${COLUMNS.join(', ')}
    FROM payment_hours
    WHERE hour >= $1 AND hour < (SELECT starts FROM span)
    UNION ALL
    SELECT hour, mode, provider, currency, ${COLUMNS.join(', ')} FROM hours
  )
  SELECT
    date_trunc($5, hour, 'UTC') AS at, CASE WHEN $6::boolean THEN provider END AS provider, currency,
    ${COLUMNS.map((name) => `sum(${name}) AS ${name}`).join(', ')}
  FROM every_hour
  WHERE mode = $4
  GROUP BY 1, 2, 3
  ORDER BY 1, 2, 3`;

/** It shares the database with payments under way. */
const READ_TIMEOUT_MS = 10_000;

/** The figures of payments by the hour. */
@Injectable()
export class PaymentFiguresRepository {
  constructor(
    private readonly dataSource: DataSource,
    private readonly transactor: Transactor,
  ) {}

  /** How far hours are kept, and the database's time. */
  async progress(): Promise<Progress> {
    const [row] = await this.dataSource.query<Progress[]>(PROGRESS);
    if (row === undefined) throw new Error('payment_hours_progress has lost its row');
    return row;
  }

  /**
   * Oldest first; a bucket in which nothing happened has no row.
   *
   * @throws UnavailableError (503) when it takes longer than ten seconds: too much of it is not kept yet
   */
  async read({ from, to, bucket, mode, byProvider }: FiguresQuestion): Promise<FiguresRow[]> {
    try {
      return await this.transactor.run(async (tx) => {
        await tx.query(`SET TRANSACTION READ ONLY; SET LOCAL statement_timeout = ${READ_TIMEOUT_MS}`);
        return tx.query<FiguresRow[]>(READ, [from, to, clearing([mode]), mode, bucket, byProvider]);
      }, READ_COMMITTED);
    } catch (error) {
      if (!isStatementTimeout(error)) throw error;
      throw new UnavailableError('The figures of so long a time are not kept yet: ask for less, or later.', {
        cause: error,
      });
    }
  }

  /**
   * Keeps hours that are over for good.
   *
   * @param tx READ COMMITTED: what is added has to see all that ended before the look at who has not
   * @param limit hours at most
   * @returns how many it has kept, those without events as well; 0 also while another process is at it
   */
  async keep(tx: EntityManager, limit: number): Promise<number> {
    const [progress] = await tx.query<{ finalTo: Date | null }[]>(LOCK);
    if (progress === undefined) return 0;
    const [end] = await tx.query<{ over: Date }[]>(OVER);
    const [next] = await tx.query<{ starts: Date; ends: Date; hours: number }[]>(NEXT, [
      progress.finalTo,
      end?.over,
      limit,
    ]);
    if (next === undefined) return 0;
    await tx.query(ADD, [next.starts, next.ends, clearing(['test', 'live'])]);
    await tx.query(ADVANCE, [next.ends]);
    return next.hours;
  }
}

/** The owners of the accounts that mirror what providers hold. */
function clearing(modes: readonly PaymentMode[]): string[] {
  return PAYMENT_PROVIDERS.flatMap((provider) => modes.map((mode) => clearingOwner(provider, mode)));
}

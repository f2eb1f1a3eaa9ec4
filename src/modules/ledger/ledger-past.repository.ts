import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { isStatementTimeout, prepared, runPreparedAlone } from '../../platform/database/index.js';
import { ledgerHeld } from './ledger.errors.js';
import { LEDGER_LOCK } from '../../platform/transaction/index.js';

/**
 * The time is read before the locks are looked at, and who has released the lock by then has committed before. A beginning
 * that we may not see counts as early.
 */
const LOOK = prepared(
  'ledger_look_for_holder',
  `
  SELECT
    statement_timestamp() AS now,
    EXISTS (
      SELECT
      FROM pg_locks AS lock
      LEFT JOIN pg_stat_activity AS holder ON holder.pid = lock.pid
      WHERE lock.relation = '${LEDGER_LOCK}'::regclass
        AND lock.database = (SELECT oid FROM pg_database WHERE datname = current_database())
        AND lock.mode = 'ExclusiveLock' AND lock.granted
        AND coalesce(holder.xact_start < $1::timestamptz + interval '1 millisecond', true)
    ) AS "isHeld"`,
);

/** Keeps nobody from the ledger but for the moment it has the lock, and readers not from each other. */
const AWAIT_HOLDER = `DO $$ BEGIN LOCK TABLE ${LEDGER_LOCK} IN ROW SHARE MODE; END $$`;

/** The database's time, and who holds the ledger. */
export interface LedgerMoment {
  readonly now: Date;
  /** Whether somebody holds the ledger who did not begin after the millisecond asked for. */
  readonly isHeld: boolean;
}

@Injectable()
export class LedgerPastRepository {
  constructor(private readonly dataSource: DataSource) {}

  /** @param at whole milliseconds */
  async look(at: Date): Promise<LedgerMoment> {
    const [moment] = await runPreparedAlone<LedgerMoment>(this.dataSource, LOOK, [at]);
    if (!moment) throw new Error('The database did not tell its time');
    return moment;
  }

  /**
   * Comes back once whoever holds the ledger now has ended.
   *
   * @throws UnavailableError (503) when that takes longer than a statement may
   */
  async awaitHolder(): Promise<void> {
    try {
      await this.dataSource.query(AWAIT_HOLDER);
    } catch (error) {
      throw isStatementTimeout(error) ? ledgerHeld(error) : error;
    }
  }
}

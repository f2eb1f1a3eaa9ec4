import { Injectable } from '@nestjs/common';
import { UnavailableError } from '../../../kernel/app-error.js';
import { isStatementTimeout } from '../../../platform/database/index.js';
import { READ_COMMITTED, Transactor } from '../../../platform/transaction/index.js';
import type { PaymentId } from '../payment.js';
import type { RuleShape } from './fraud-rule.js';
import { figureOf } from './rule-figures.js';
import { thresholdOf } from './verdict.js';

export interface BacktestRow {
  readonly id: PaymentId;
  readonly userId: string;
  readonly amount: number;
  readonly currency: string;
  readonly status: string;
  /** RFC 3339. */
  readonly createdAt: string;
  readonly figure: number;
}

export interface Backtest {
  /** Payments in that time. */
  readonly payments: number;
  /** Of these, those that say nothing the rule looks at. */
  readonly skipped: number;
  readonly matched: number;
  /** The newest of those that matched. */
  readonly newest: readonly BacktestRow[];
}

const NEWEST = 100;
/** It shares the database with payments under way. */
const TIMEOUT_MS = 20_000;

@Injectable()
export class BacktestRepository {
  constructor(private readonly transactor: Transactor) {}

  /**
   * What the rule would have made of the payments of the last days, from what was known when each was created.
   *
   * @throws UnavailableError (503) when it takes longer than 20 seconds
   */
  async run(rule: RuleShape, days: number): Promise<Backtest> {
    const [statement, parameters] = statementOf(rule, days);
    try {
      return await this.transactor.run(async (tx) => {
        await tx.query(`SET TRANSACTION READ ONLY`);
        await tx.query(`SET LOCAL statement_timeout = ${TIMEOUT_MS}`);
        const [backtest] = await tx.query<Backtest[]>(statement, parameters);
        if (backtest === undefined) throw new Error('A query without FROM has one row');
        return backtest;
      }, READ_COMMITTED);
    } catch (error) {
      if (!isStatementTimeout(error)) throw error;
      throw new UnavailableError(`Looking at ${days} days takes too long: ask for fewer.`, { cause: error });
    }
  }
}

/**
 * The time is found by the ids, which are of version 7 and begin with it, with a day to spare for clocks that differ. Index:
 * payments_pkey; the figures have theirs.
 */
function statementOf(rule: RuleShape, days: number): [string, unknown[]] {
  const parameters: unknown[] = [days];
  const bind = (value: unknown) => `$${parameters.push(value)}`;
  const figure = figureOf(rule, 'afterwards', bind);
  const { beyond, value } = thresholdOf(rule);
  const since = `now() - $1 * interval '1 day'`;
  const statement = `
    WITH judged AS MATERIALIZED (
      SELECT payment.id, payment.user_id, payment.amount, payment.currency, payment.status, payment.created_at,
        (${figure})::bigint AS figure
      FROM payments AS payment
      WHERE payment.id >= (
          lpad(to_hex(floor(extract(epoch FROM ${since} - interval '1 day') * 1000)::bigint), 12, '0') || repeat('0', 20)
        )::uuid
        AND payment.created_at > ${since}
    ), matching AS (
      SELECT * FROM judged WHERE figure ${beyond} ${bind(String(value))}::bigint
    ), newest AS (
      SELECT id, user_id AS "userId", amount, currency, status, figure,
        to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS "createdAt"
      FROM matching
      ORDER BY created_at DESC, id DESC
      LIMIT ${NEWEST}
    )
    SELECT
      (SELECT count(*)::integer FROM judged) AS payments,
      (SELECT count(*)::integer FROM judged WHERE figure IS NULL) AS skipped,
      (SELECT count(*)::integer FROM matching) AS matched,
      (SELECT coalesce(json_agg(newest), '[]') FROM newest) AS newest`;
  return [statement, parameters];
}

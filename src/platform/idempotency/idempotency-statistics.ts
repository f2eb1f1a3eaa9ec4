import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { Metrics } from '../metrics/index.js';
import { Every } from '../schedule/index.js';
import { Transactor } from '../transaction/index.js';
import type { IdempotencyStatisticsDto } from './idempotency-statistics.dto.js';
import { IdempotencyOutcomes, noOutcomes, OUTCOMES, type Outcome } from './idempotency-outcomes.js';

const FLUSH_INTERVAL_MS = 5000;

/** Sorted, so that two processes wait for each other in one direction only. Index: idempotency_statistics_pkey. */
const ADD = `
  INSERT INTO idempotency_statistics AS statistic (outcome, requests)
  SELECT outcome, requests
  FROM unnest($1::text[], $2::bigint[]) AS counted (outcome, requests)
  ORDER BY outcome
  ON CONFLICT (outcome) DO UPDATE SET requests = statistic.requests + excluded.requests`;

const READ = `SELECT outcome, requests::float8 AS requests FROM idempotency_statistics`;

/**
 * Counting a table means reading it: from 100,000 rows on (some 10 ms) the planner's estimate has to do, which grows with
 * the file between two visits of autovacuum. The expired are few, because they are removed. Index for those:
 * idempotency_records_expires_at_idx.
 */
const COUNT_STORED = `
  SELECT
    CASE
      WHEN estimate.rows < 100000 THEN (SELECT count(*) FROM idempotency_records)::float8
      ELSE estimate.rows
    END AS total,
    estimate.rows >= 100000 AS estimated,
    (
      SELECT count(*)::float8 FROM (SELECT FROM idempotency_records WHERE expires_at <= now() LIMIT 100000) AS expired
    ) AS expired
  FROM (
    SELECT
      round(greatest(reltuples, 0) / greatest(relpages, 1) * pg_relation_size(oid) / current_setting('block_size')::integer) AS rows
    FROM pg_class
    WHERE oid = 'idempotency_records'::regclass
  ) AS estimate`;

interface StoredRow {
  total: number;
  estimated: boolean;
  expired: number;
}

/** How much is stored, and what became of requests with a key: over all processes, kept across restarts. */
@Injectable()
export class IdempotencyStatistics implements OnApplicationShutdown {
  constructor(
    private readonly dataSource: DataSource,
    private readonly transactor: Transactor,
    private readonly outcomes: IdempotencyOutcomes,
    metrics: Metrics,
  ) {
    metrics.gauge('holdfast_idempotency_stored_keys', 'Records of idempotency keys', [], async (gauge) => {
      gauge.set((await this.stored()).total);
    });
  }

  /** The HTTP server is closed by now, so what was counted is all there will be. */
  async onApplicationShutdown(): Promise<void> {
    // The figures are worth no failed shutdown.
    await this.flush().catch(() => undefined);
  }

  /** What other processes counted within the last five seconds may be missing. */
  async read(): Promise<IdempotencyStatisticsDto> {
    await this.flush();
    const [{ total, expired, estimated }, rows] = await Promise.all([
      this.stored(),
      this.dataSource.query<{ outcome: Outcome; requests: number }[]>(READ),
    ]);
    const counts = noOutcomes();
    for (const { outcome, requests } of rows) counts[outcome] = requests;
    const { executed, resumed, memory, redis, database, in_use: inUse, reused } = counts;
    const replays = memory + redis + database;
    const answered = executed + resumed + replays;
    return {
      total,
      active: total - expired,
      expired,
      estimated,
      executed: executed + resumed,
      replays,
      replaysFrom: { memory, redis, database },
      conflicts: inUse,
      reused,
      takeovers: resumed,
      hitRate: answered === 0 ? 0 : replays / answered,
    };
  }

  private async stored(): Promise<StoredRow> {
    const [row] = await this.dataSource.query<StoredRow[]>(COUNT_STORED);
    return row ?? { total: 0, estimated: false, expired: 0 };
  }

  @Every(FLUSH_INTERVAL_MS, { name: 'idempotency statistics', role: 'any' })
  async flush(): Promise<void> {
    const counts = this.outcomes.take();
    const counted = OUTCOMES.filter((outcome) => counts[outcome] > 0);
    if (counted.length === 0) return;
    try {
      await this.transactor.statement(ADD, [counted, counted.map((outcome) => counts[outcome])]);
    } catch (error) {
      this.outcomes.untake(counts);
      throw error;
    }
  }
}

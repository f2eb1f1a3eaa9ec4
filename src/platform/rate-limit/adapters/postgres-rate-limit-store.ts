import { prepared } from '../../database/index.js';
import { Every } from '../../schedule/index.js';
import type { Transactor } from '../../transaction/index.js';
import { type Decision, decide } from '../decision.js';
import type { RateLimitStore } from '../rate-limit-store.js';
import type { Reading } from '../reading.js';
import type { Tier } from '../tier.js';
import { refillMs } from '../token-bucket.js';

/** The tiers of a request, from the parameters from $2 on, and the moment of the decision. */
const TIERS = `
  moment AS MATERIALIZED (SELECT extract(epoch FROM clock_timestamp())::float8 * 1000 AS now),
  tier AS (
    SELECT tier.*, moment.now, window_ms / max AS refill
    FROM moment, unnest($2::text[], $3::float8[], $4::float8[], $5::float8[], $6::boolean[], $7::boolean[])
      WITH ORDINALITY AS tier (name, max, window_ms, slot_ms, bucket, shadow, position)
  )`;

/**
 * The arithmetic of `sliding-window.ts` and `token-bucket.ts` over the state of one subject: { "<tier>": [[time,
 * count], …] }, for a bucket [[full at, 1]].
 */
const readings = (state: string) => `
  slot AS (
    SELECT tier.name, time, count, sum(count) OVER (PARTITION BY tier.name ORDER BY time) AS freed
    FROM tier
    CROSS JOIN LATERAL jsonb_array_elements(${state} -> tier.name) AS pair
    CROSS JOIN LATERAL (SELECT (pair ->> 0)::float8 AS time, (pair ->> 1)::float8 AS count) AS slot
    WHERE CASE WHEN bucket THEN time > now ELSE time + window_ms + slot_ms > now END
  ),
  reading AS (
    SELECT
      tier.*,
      state.time,
      CASE WHEN bucket THEN least(max, ceil(greatest(0, state.time - now - 0.001) / refill)) ELSE state.used END AS used,
      CASE
        WHEN NOT bucket THEN coalesce(state.free_at + window_ms + slot_ms - now, 0)
        WHEN coalesce(state.time - now, 0) + refill - window_ms > 0.001 THEN state.time - now + refill - window_ms
        ELSE 0
      END AS wait,
      coalesce(CASE WHEN bucket THEN state.time ELSE state.time + window_ms + slot_ms END - now, 0) AS clear
    FROM tier
    CROSS JOIN LATERAL (
      SELECT
        coalesce(sum(slot.count), 0) AS used,
        max(slot.time) AS time,
        min(slot.time) FILTER (
          WHERE slot.freed >= 1 - tier.max + (SELECT sum(count) FROM slot AS each WHERE each.name = tier.name)
        ) AS oldest_enough
      FROM slot
      WHERE slot.name = tier.name
    ) AS total
    CROSS JOIN LATERAL (
      SELECT total.used, total.time, CASE WHEN total.used >= max THEN total.oldest_enough END AS free_at
    ) AS state
  )`;

/**
 * All tiers of one request in one statement. The row of the subject is locked by ON CONFLICT before its state is read,
 * so that of requests at the same time each sees what the one before has left; a first request is always allowed.
 * `over_at` is a whole hour: an indexed column that changed with every request would cost the HOT updates.
 * Index: rate_limit_counters_pkey.
 */
const TAKE = prepared(
  'holdfast_rate_limit_take',
  `
  INSERT INTO rate_limit_counters AS counter (subject, state, readings, over_at)
  SELECT * FROM (
    WITH ${TIERS}
    SELECT
      $1::text,
      jsonb_object_agg(
        name,
        jsonb_build_array(
          jsonb_build_array(
            CASE WHEN bucket THEN now + refill WHEN slot_ms = 0 THEN now ELSE floor(now / slot_ms) * slot_ms END,
            1
          )
        )
      ),
      array_fill(0::float8, ARRAY[3 * count(*)::integer]),
      date_trunc('hour', clock_timestamp() + max(window_ms + slot_ms) * interval '1 millisecond') + interval '1 hour'
    FROM tier
  ) AS first
  ON CONFLICT (subject) DO UPDATE
  SET (state, readings, over_at) = (
    WITH ${TIERS},
    ${readings('counter.state')},
    verdict AS (SELECT bool_and(wait <= 0 OR shadow) AS allowed FROM reading),
    next AS (
      SELECT
        reading.name,
        CASE
          WHEN bucket THEN jsonb_build_array(jsonb_build_array(greatest(reading.time, now) + refill, 1))
          ELSE (
            SELECT jsonb_agg(jsonb_build_array(kept.time, kept.count) ORDER BY kept.time)
            FROM (
              SELECT each.time, sum(each.count) AS count
              FROM (
                SELECT slot.time, slot.count FROM slot WHERE slot.name = reading.name
                UNION ALL
                SELECT
                  greatest(reading.time, CASE WHEN slot_ms = 0 THEN now ELSE floor(now / slot_ms) * slot_ms END),
                  1
              ) AS each
              GROUP BY each.time
            ) AS kept
          )
        END AS slots
      FROM reading, verdict
      WHERE verdict.allowed AND reading.wait <= 0
    )
    SELECT
      counter.state || coalesce((SELECT jsonb_object_agg(name, slots) FROM next), '{}'),
      (
        SELECT array_agg(figure.value ORDER BY reading.position, figure.place)
        FROM reading
        CROSS JOIN LATERAL (VALUES (1, used), (2, wait), (3, clear)) AS figure (place, value)
      ),
      greatest(
        counter.over_at,
        (SELECT date_trunc('hour', clock_timestamp() + max(window_ms + slot_ms) * interval '1 millisecond') + interval '1 hour' FROM tier)
      )
  )
  RETURNING readings AS figures`,
);

/** Index: rate_limit_counters_pkey. */
const LOOK = prepared(
  'holdfast_rate_limit_look',
  `
  WITH counter AS (SELECT state FROM rate_limit_counters WHERE subject = $1),
  ${TIERS},
  ${readings("coalesce((SELECT state FROM counter), '{}')")}
  SELECT array_agg(figure.value ORDER BY reading.position, figure.place) AS figures
  FROM reading
  CROSS JOIN LATERAL (VALUES (1, used), (2, wait), (3, clear)) AS figure (place, value)`,
);

/** $2: the tiers; $3: for each the ms in which a token comes back, or 0 for a window. Index: rate_limit_counters_pkey. */
const REFUND = prepared(
  'holdfast_rate_limit_refund',
  `
  UPDATE rate_limit_counters AS counter
  SET state = counter.state || coalesce(
    (
      SELECT
        jsonb_object_agg(
          name,
          CASE
            WHEN refill > 0 THEN jsonb_build_array(jsonb_build_array((slots #>> '{0,0}')::float8 - refill, 1))
            WHEN (slots #>> '{-1,1}')::float8 > 1
              THEN jsonb_set(slots, '{-1,1}', to_jsonb((slots #>> '{-1,1}')::float8 - 1))
            ELSE slots - (-1)
          END
        )
      FROM unnest($2::text[], $3::float8[]) AS tier (name, refill)
      CROSS JOIN LATERAL (SELECT counter.state -> name AS slots) AS kept
      WHERE jsonb_array_length(slots) > 0
    ),
    '{}'
  )
  WHERE subject = $1`,
);

/** Counters of which nothing counts any more. Index: rate_limit_counters_over_at_idx. */
const SWEEP = prepared(
  'holdfast_rate_limit_sweep',
  `
  DELETE FROM rate_limit_counters
  WHERE subject IN (
    SELECT subject FROM rate_limit_counters WHERE over_at < now() ORDER BY over_at LIMIT $1 FOR UPDATE SKIP LOCKED
  )
  RETURNING subject`,
);

interface Figures {
  /** used, wait and clear of each tier */
  figures: number[];
}

/** One count for all replicas without Redis: one round trip and one row written for each request. */
export class PostgresRateLimitStore implements RateLimitStore {
  constructor(private readonly transactor: Transactor) {}

  async take(subject: string, tiers: readonly Tier[]): Promise<Decision> {
    const rows = await this.transactor.statement<Figures>(TAKE, [subject, ...columns(tiers)]);
    return decide(tiers, readingsOf(tiers, rows));
  }

  async refund(subject: string, tiers: readonly Tier[]): Promise<void> {
    const refills = tiers.map((rule) => (rule.algorithm === 'token-bucket' ? refillMs(rule) : 0));
    await this.transactor.statement(REFUND, [subject, tiers.map(({ counter }) => counter), refills]);
  }

  async look(subject: string, tiers: readonly Tier[]): Promise<readonly Reading[]> {
    const rows = await this.transactor.statement<Figures>(LOOK, [subject, ...columns(tiers)]);
    return readingsOf(tiers, rows);
  }

  /** @returns how many were removed of which nothing counts any more, `limit` at most */
  @Every(60_000, { name: 'rate limit counters', role: 'background', batch: 1000 })
  async sweep(limit: number): Promise<number> {
    return (await this.transactor.statement(SWEEP, [limit])).length;
  }
}

function columns(tiers: readonly Tier[]): unknown[] {
  return [
    tiers.map(({ counter }) => counter),
    tiers.map(({ limit }) => limit),
    tiers.map(({ windowMs }) => windowMs),
    tiers.map(({ slotMs }) => slotMs),
    tiers.map(({ algorithm }) => algorithm === 'token-bucket'),
    tiers.map(({ shadow }) => shadow),
  ];
}

function readingsOf(tiers: readonly Tier[], [row]: readonly Figures[]): Reading[] {
  const figures = row?.figures ?? [];
  return tiers.map((_, index) => ({
    used: figures[index * 3] ?? 0,
    waitMs: figures[index * 3 + 1] ?? 0,
    clearMs: figures[index * 3 + 2] ?? 0,
  }));
}

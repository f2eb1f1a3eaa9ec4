import { VoidRun } from '../bench.js';
import { eventBody, eventIdOf } from '../requests/signed-events.js';
import type { BenchDatabase } from '../stage/bench-database.js';

/** The ids of a run, as `eventIdOf` makes them, against what is in the tables. */
const COUNTS = `
  WITH sent AS (
    SELECT 'evt_' || $1 || left(md5($1 || ':' || number), 16) AS event_id
    FROM generate_series(0, $2::integer - 1) AS number
  ),
  stored AS (
    SELECT id, event_id, octet_length(raw_body) = $3 AND raw_payload ->> 'id' = event_id AS intact
    FROM webhook_events
    WHERE source = 'stripe' AND event_id LIKE 'evt\\_' || $1 || '%'
  ),
  audited AS (
    SELECT subject, count(*) AS lines FROM audit_log WHERE action = 'webhook.received' GROUP BY subject
  )
  SELECT
    count(stored.id)::float8 AS stored,
    count(DISTINCT stored.event_id)::float8 AS events,
    count(*) FILTER (WHERE stored.intact)::float8 AS intact,
    count(*) FILTER (WHERE audited.lines = 1)::float8 AS audited,
    (SELECT count(*) FROM webhook_events)::float8 AS "allStored",
    (SELECT count(*) FROM audit_log WHERE action LIKE 'webhook.%')::float8 AS "allAudited",
    (SELECT count(*) FROM webhook_event_conflicts)::float8 AS conflicts
  FROM sent
  LEFT JOIN stored USING (event_id)
  LEFT JOIN audited ON audited.subject = 'webhook-event:' || stored.id`;

interface Counts {
  stored: number;
  events: number;
  intact: number;
  audited: number;
  allStored: number;
  allAudited: number;
  conflicts: number;
}

/**
 * Every event that was answered 200 is stored exactly once, whole, with exactly one audit line; and nothing else is there.
 *
 * @param sent events of this run, all of them accepted
 * @param total events accepted on this database so far, this run's included
 * @throws VoidRun
 */
export async function verifyIntake(database: BenchDatabase, run: string, sent: number, total: number): Promise<void> {
  const bodyBytes = Buffer.byteLength(eventBody(eventIdOf(run, 0), 1_700_000_000));
  const [found] = await database.query<Counts & Record<string, number>>(COUNTS, [run, sent, bodyBytes]);
  const expected: Counts = {
    stored: sent,
    events: sent,
    intact: sent,
    audited: sent,
    allStored: total,
    allAudited: total,
    conflicts: 0,
  };
  const wrong = Object.entries(expected).filter(([name, count]) => found?.[name] !== count);
  if (wrong.length === 0) return;
  const list = wrong.map(([name, count]) => `${name} ${found?.[name]} instead of ${count}`);
  throw new VoidRun(`The tables do not hold what was answered: ${list.join(', ')}`);
}

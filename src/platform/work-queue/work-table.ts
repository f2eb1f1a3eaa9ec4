/** A table whose rows are work that waits. It has the columns `id`, `claim_id` and `claimed_by`. */
export interface WorkTable {
  readonly table: string;
  /** What a row is called in logs and errors: `job`. */
  readonly noun: string;
  /** Column: when it may be claimed; while it is claimed, when the lease ends. NULL once it is over. Has an index. */
  readonly dueAt: string;
  readonly state: { readonly column: string; readonly running: string };
  /** Whether a claim takes over what a worker left behind, or leaves that to a sweep. */
  readonly takesOver: boolean;
  /** What must hold besides being due, as SQL about `work`. */
  readonly claimable: string;
  /** Column of which each value has room of its own: no kind keeps another waiting. Without it all share one. */
  readonly lane?: string;
  /** For a claim that takes fewer than there is room for; what its SQL says of parameters begins with `$4`. */
  readonly narrowed?: {
    /** What it looks at, as SQL about `work`. */
    readonly columns: string;
    /** A query for the ids to claim among those of `due (id, due_at, …)`. */
    readonly query: string;
  };
  /** What else a claim sets, as SQL. */
  readonly onClaim: string;
  /** What a worker is given besides `Claimed`, as SQL. */
  readonly columns: string;
}

/** Conditions on the claims of parameters `$1` and `$2`. Index: the primary key. */
export const STILL_OURS = 'id = ANY ($1::uuid[]) AND claim_id = ANY ($2::uuid[])';

/**
 * The same for one, by where its row lies, `$3`. Found through an index, work that had nothing to do with each other would
 * fail to serialize.
 */
export const OURS_IN_PLACE = 'ctid = $3::tid AND id = $1 AND claim_id = $2';

const LEASE = `clock_timestamp() + $2 * interval '1 millisecond'`;

/** Lets PostgreSQL itself end the transaction of a worker that hangs or is cut off. */
export const bounds = (first: number) =>
  `SELECT set_config('statement_timeout', $${first}, true), set_config('idle_in_transaction_session_timeout', $${first + 1}, true)`;

/** The statements of a table; all times are the database's. */
export function statementsOf(work: WorkTable) {
  const { table, dueAt, state, takesOver, columns } = work;
  const waits = `${dueAt} <= now()${takesOver ? '' : ` AND ${state.column} <> '${state.running}'`}`;
  const claimed = `id, claim_id AS "claimId", ctid::text AS place, ${columns}`;
  return {
    claim: `
      WITH due AS MATERIALIZED (${due(work, waits)}),
      claimed AS (
        UPDATE ${table} AS work
        SET
          ${state.column} = '${state.running}', claim_id = gen_random_uuid(), claimed_by = $1, ${dueAt} = ${LEASE},
          ${work.onClaim}
        WHERE id IN (${work.narrowed?.query ?? 'SELECT id FROM due'})
        RETURNING ${claimed}, old.${state.column} = '${state.running}' AS "takenOver"
      )
      SELECT * FROM claimed ORDER BY id`,
    claimed: `SELECT ${claimed}, false AS "takenOver" FROM ${table} WHERE id = $1 AND claim_id = $2`,
    // The row is taken for as long as the transaction lasts: neither a heartbeat nor another worker changes it underneath.
    begin: `${bounds(4)} FROM ${table} WHERE ${OURS_IN_PLACE} FOR UPDATE`,
    // What is locked has a transaction open, which is a better sign of life than this one, or is about to end.
    extend: `
      WITH held AS MATERIALIZED (
        SELECT id FROM ${table} WHERE ${STILL_OURS} FOR NO KEY UPDATE SKIP LOCKED
      ),
      extended AS (
        UPDATE ${table} SET ${dueAt} = clock_timestamp() + $3 * interval '1 millisecond' WHERE id IN (SELECT id FROM held)
      )
      SELECT claim_id AS "claimId" FROM ${table} WHERE ${STILL_OURS}`,
    // What is over has no time at which it is due, so the depth of history does not matter.
    length: `
      SELECT
        count(*) FILTER (WHERE ${state.column} <> '${state.running}')::integer AS waiting,
        count(*) FILTER (WHERE ${state.column} = '${state.running}')::integer AS running,
        coalesce(extract(epoch FROM now() - min(${dueAt}) FILTER (WHERE ${waits})), 0)::float8 AS age
      FROM ${table}
      WHERE ${dueAt} IS NOT NULL`,
  };
}

/** `$3` says how much room there is; with lanes, `$3` names them and `$4` says how much each has. */
function due({ table, dueAt, lane, claimable, narrowed }: WorkTable, waits: string): string {
  const columns = `id, ${dueAt} AS due_at${narrowed ? `, ${narrowed.columns}` : ''}`;
  const where = `${waits} AND (${claimable})`;
  if (lane === undefined) return lockedRows(columns, table, where, dueAt, '$3');
  return `
    SELECT found.*
    FROM unnest($3::text[], $4::integer[]) AS room (lane, free)
    CROSS JOIN LATERAL (${lockedRows(columns, table, `work.${lane} = room.lane AND ${where}`, dueAt, 'room.free')}) AS found`;
}

/**
 * A query that takes rows for as long as its transaction lasts, in order of a time, and passes over what somebody else has: that
 * is at work, or being claimed. For work that is done within one transaction it is the whole claim.
 *
 * @param where a condition on `work`
 */
export function lockedRows(columns: string, table: string, where: string, orderBy: string, limit: string): string {
  return `
    SELECT ${columns}
    FROM ${table} AS work
    WHERE ${where}
    ORDER BY ${orderBy}
    LIMIT ${limit}
    FOR NO KEY UPDATE SKIP LOCKED`;
}

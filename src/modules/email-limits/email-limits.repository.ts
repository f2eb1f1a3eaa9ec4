import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { Every } from '../../platform/schedule/index.js';
import { Transactor } from '../../platform/transaction/index.js';
import type { EmailLimitKind } from './email-limit-kind.js';
import type { EmailLimitState } from './email-limit-reading.js';

export interface EmailLimitKey {
  readonly kind: EmailLimitKind;
  /** 32 bytes, see `EmailHash`. */
  readonly emailHash: Buffer;
}

/** Another limit for one e-mail address, set by an admin. */
export interface EmailLimitOverride {
  /** 0: no limit. */
  readonly limit: number;
  /** In force until then; null: until it is removed. */
  readonly until: Date | null;
  readonly setBy: string;
  readonly setAt: Date;
}

export interface EmailLimitStateAndOverride extends EmailLimitState {
  /** null when there is none in force. */
  readonly override: EmailLimitOverride | null;
}

const OVERRIDDEN = `
  held.override_limit IS NOT NULL AND (held.override_until IS NULL OR held.override_until > clock_timestamp())`;

const LIMIT = `CASE WHEN ${OVERRIDDEN} THEN held.override_limit ELSE $3::integer END`;

/** The window slides by the time of the decision: `now()` would be when a transaction that waited for the lock began. */
const RECENT = `
  ARRAY (
    SELECT attempt
    FROM unnest(held.attempts) AS attempt
    WHERE attempt > clock_timestamp() - interval '1 hour'
    ORDER BY attempt
  )`;

const LAST_LEAVES = `held.attempts[cardinality(held.attempts)] + interval '1 hour'`;

/**
 * ON CONFLICT locks the row before it looks at its newest version, so that each of many attempts at once sees what the one
 * before has left. No row: there is no room, or no limit. Index: email_limits_pkey.
 */
const TAKE = `
  INSERT INTO email_limits AS held (kind, email_hash, attempts, expires_at)
  SELECT $1::text, $2::bytea, ARRAY[moment], moment + interval '1 hour'
  FROM clock_timestamp() AS moment
  WHERE $3::integer > 0 OR EXISTS (SELECT FROM email_limits WHERE kind = $1 AND email_hash = $2)
  ON CONFLICT (kind, email_hash) DO UPDATE
  SET
    attempts = ${RECENT} || clock_timestamp(),
    expires_at = CASE
      WHEN held.override_limit IS NOT NULL AND held.override_until IS NULL THEN NULL
      ELSE greatest(clock_timestamp() + interval '1 hour', held.override_until)
    END
  WHERE cardinality(${RECENT}) < ${LIMIT}
  RETURNING held.attempts, ${LIMIT} AS "limit", clock_timestamp() AS "asOf"`;

/** Always one row. Index: email_limits_pkey. */
const READ = `
  SELECT
    ${RECENT} AS attempts,
    ${LIMIT} AS "limit",
    clock_timestamp() AS "asOf",
    ${OVERRIDDEN} AS overridden,
    held.override_limit AS "overrideLimit",
    held.override_until AS "overrideUntil",
    held.override_set_by AS "overrideSetBy",
    held.override_set_at AS "overrideSetAt"
  FROM (SELECT $1::text AS kind, $2::bytea AS email_hash) AS wanted
  LEFT JOIN email_limits AS held USING (kind, email_hash)`;

/** No row when `until` is past already. Index: email_limits_pkey. */
const OVERRIDE = `
  INSERT INTO email_limits AS held
    (kind, email_hash, override_limit, override_until, override_set_by, override_set_at, expires_at)
  SELECT $1::text, $2::bytea, $3::integer, $4::timestamptz, $5::text, clock_timestamp(), $4::timestamptz
  WHERE $4::timestamptz IS NULL OR $4::timestamptz > clock_timestamp()
  ON CONFLICT (kind, email_hash) DO UPDATE
  SET
    override_limit = excluded.override_limit,
    override_until = excluded.override_until,
    override_set_by = excluded.override_set_by,
    override_set_at = excluded.override_set_at,
    expires_at = CASE
      WHEN excluded.override_until IS NOT NULL THEN greatest(excluded.override_until, ${LAST_LEAVES})
    END
  RETURNING
    override_limit AS "limit", override_until AS until, override_set_by AS "setBy", override_set_at AS "setAt"`;

/** One that has ended counts as gone. Index: email_limits_pkey. */
const RESTORE = `
  WITH restored AS (
    UPDATE email_limits AS held
    SET
      override_limit = NULL,
      override_until = NULL,
      override_set_by = NULL,
      override_set_at = NULL,
      expires_at = coalesce(${LAST_LEAVES}, clock_timestamp())
    WHERE kind = $1 AND email_hash = $2 AND ${OVERRIDDEN}
    RETURNING kind
  )
  SELECT kind FROM restored`;

/** One that is being counted in right now is skipped; it has not expired. Index: email_limits_expires_at_idx. */
const REMOVE_EXPIRED = `
  DELETE FROM email_limits
  WHERE ctid = ANY (ARRAY (
    SELECT ctid FROM email_limits WHERE expires_at <= now() ORDER BY expires_at LIMIT $1 FOR UPDATE SKIP LOCKED
  ))`;

interface ReadRow extends EmailLimitState {
  overridden: boolean | null;
  overrideLimit: number | null;
  overrideUntil: Date | null;
  overrideSetBy: string | null;
  overrideSetAt: Date | null;
}

@Injectable()
export class EmailLimitsRepository {
  constructor(
    private readonly dataSource: DataSource,
    private readonly transactor: Transactor,
  ) {}

  /**
   * Counts an attempt if there is room.
   *
   * @param configured the limit where no override is in force; 0 for none
   * @returns undefined when nothing was counted
   */
  async take(tx: EntityManager, key: EmailLimitKey, configured: number): Promise<EmailLimitState | undefined> {
    const [state] = await tx.query<EmailLimitState[]>(TAKE, [key.kind, key.emailHash, configured]);
    return state;
  }

  /** @param tx left out: outside any transaction */
  async read(
    tx: EntityManager | undefined,
    { kind, emailHash }: EmailLimitKey,
    configured: number,
  ): Promise<EmailLimitStateAndOverride> {
    const [row] = await (tx ?? this.dataSource).query<ReadRow[]>(READ, [kind, emailHash, configured]);
    if (row === undefined) throw new Error('A LEFT JOIN of one row answered none');
    return { limit: row.limit, attempts: row.attempts, asOf: row.asOf, override: overrideOf(row) };
  }

  /** @returns undefined when `until` is past, by the database's clock */
  async override(
    tx: EntityManager,
    { kind, emailHash }: EmailLimitKey,
    { limit, until, setBy }: Omit<EmailLimitOverride, 'setAt'>,
  ): Promise<EmailLimitOverride | undefined> {
    const [override] = await tx.query<EmailLimitOverride[]>(OVERRIDE, [kind, emailHash, limit, until, setBy]);
    return override;
  }

  /** @returns false when no override is in force */
  async restore(tx: EntityManager, { kind, emailHash }: EmailLimitKey): Promise<boolean> {
    const restored = await tx.query<object[]>(RESTORE, [kind, emailHash]);
    return restored.length > 0;
  }

  /**
   * Nothing waits for it: what has expired counts as gone wherever it is met.
   *
   * @returns how many rows were removed, `limit` at most
   */
  @Every(60_000, { name: 'email limits', role: 'background', batch: 500 })
  removeExpired(limit: number): Promise<number> {
    return this.transactor.affected(REMOVE_EXPIRED, [limit]);
  }
}

function overrideOf(row: ReadRow): EmailLimitOverride | null {
  const { overridden, overrideLimit: limit, overrideUntil: until, overrideSetBy: setBy, overrideSetAt: setAt } = row;
  if (overridden !== true || limit === null || setBy === null || setAt === null) return null;
  return { limit, until, setBy, setAt };
}

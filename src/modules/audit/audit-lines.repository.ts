import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { SealedLine } from './chain-check.js';
import { LINE_CONTENT, type LineContent } from './line-hash.js';
import { rfc3339 } from './rfc3339.js';

/** Which lines to list; a member that is undefined or null does not narrow. */
export interface LineFilter {
  actor: string | undefined;
  action: string | undefined;
  subject: string | undefined;
  /** RFC 3339, inclusive. */
  from: string | undefined;
  /** RFC 3339, exclusive. */
  to: string | undefined;
  /** Below this id. */
  before: string | null;
}

/** A line of the log, sealed or not, with its details as a document. */
export interface StoredLine extends LineContent {
  sequence: number | null;
  document: Record<string, unknown>;
  prev_hash: Buffer | null;
  hash: Buffer | null;
}

/** How far the log reaches. */
export interface LogExtent {
  /** The database's time, RFC 3339, UTC, microseconds. */
  at: string;
  unsealed: number;
  /** 0 when nothing is sealed. */
  lastSequence: number;
  /** The last line a checkpoint covers, 0 without checkpoints. */
  lastCheckpoint: number;
}

const NARROWED = `
  ($1::text IS NULL OR l.actor = $1) AND ($2::text IS NULL OR l.action = $2) AND ($3::text IS NULL OR l.subject = $3)
  AND ($4::timestamptz IS NULL OR l.at >= $4) AND ($5::timestamptz IS NULL OR l.at < $5)
  AND ($6::bigint IS NULL OR l.id >= $6) AND ($7::bigint IS NULL OR l.id < $7)
  AND ($8::bigint IS NULL OR l.id < $8)`;

/**
 * Merged from two pages: the indexes that serve the filters hold sealed lines only, and of the others there are few.
 * Indexes, backwards: audit_log_subject_idx, audit_log_actor_idx, audit_log_action_idx or audit_log_pkey for sealed
 * lines; audit_log_unsealed_idx for the rest.
 */
const LIST = `
  SELECT l.sequence::float8 AS sequence, l.prev_hash, l.hash, l.details AS document, ${LINE_CONTENT}
  FROM (
    (SELECT * FROM audit_log AS l WHERE l.hash IS NULL AND ${NARROWED} ORDER BY l.id DESC LIMIT $9)
    UNION ALL
    (SELECT * FROM audit_log AS l WHERE l.sequence IS NOT NULL AND ${NARROWED} ORDER BY l.id DESC LIMIT $9)
  ) AS l
  ORDER BY l.id DESC
  LIMIT $9`;

/** Ids and times are given out together, so ids are searched by halves: about 25 look-ups in audit_log_pkey. */
const ID_NEAR = `
  WITH RECURSIVE search (low, high) AS (
    SELECT coalesce(min(id), 0), coalesce(max(id), 0) + 1 FROM audit_log
    UNION ALL
    SELECT
      CASE WHEN l.at < bound.at THEN l.id + 1 ELSE low END,
      CASE WHEN l.at < bound.at THEN high ELSE (low + high) / 2 END
    FROM search
    CROSS JOIN (SELECT $1::timestamptz + $2 * interval '5 minutes') AS bound (at)
    CROSS JOIN LATERAL (SELECT id, at FROM audit_log WHERE id >= (low + high) / 2 ORDER BY id LIMIT 1) AS l
    WHERE low < high
  )
  SELECT max(low)::text AS id FROM search`;

/** Indexes: audit_log_unsealed_idx; audit_log_sequence_key and audit_checkpoints_pkey backwards. */
const EXTENT = `
  SELECT
    ${rfc3339('clock_timestamp()')} AS at,
    (SELECT count(*) FROM audit_log WHERE hash IS NULL)::float8 AS unsealed,
    coalesce((SELECT max(sequence) FROM audit_log), 0)::float8 AS "lastSequence",
    coalesce((SELECT max(sequence) FROM audit_checkpoints), 0)::float8 AS "lastCheckpoint"`;

/** Index: audit_log_sequence_key. */
const SEALED_BETWEEN = `
  SELECT l.sequence::float8 AS sequence, l.prev_hash, l.hash, ${LINE_CONTENT}
  FROM audit_log AS l
  WHERE l.sequence > $1 AND l.sequence <= $2
  ORDER BY l.sequence`;

/** Reads the audit log, for people and for the verifier. */
@Injectable()
export class AuditLinesRepository {
  constructor(private readonly dataSource: DataSource) {}

  /** Newest first, the unsealed ones too. */
  async list({ actor, action, subject, from, to, before }: LineFilter, limit: number): Promise<StoredLine[]> {
    const [firstId, endId] = await Promise.all([this.idNear(from, -1), this.idNear(to, 1)]);
    return this.dataSource.query(LIST, [actor, action, subject, from, to, firstId, endId, before, limit]);
  }

  /** In one statement, so one snapshot: a checkpoint it sees has its lines in it too. */
  async extent(): Promise<LogExtent> {
    const [row] = await this.dataSource.query<LogExtent[]>(EXTENT);
    if (!row) throw new Error('The extent of the audit log cannot be read');
    return row;
  }

  /** Lines with `after < sequence <= upTo`, in order. */
  sealedBetween(after: number, upTo: number): Promise<SealedLine[]> {
    return this.dataSource.query(SEALED_BETWEEN, [after, upTo]);
  }

  /**
   * An id close to a time, so that a page of last year is found without walking this one. Clocks that differ or step by
   * less than five minutes cannot hide a line; the exact times are compared besides.
   *
   * @param side -1 for an id before all lines of the time and later, 1 for one after all lines before it
   */
  private async idNear(time: string | undefined, side: -1 | 1): Promise<string | null> {
    if (time === undefined) return null;
    const [row] = await this.dataSource.query<{ id: string }[]>(ID_NEAR, [time, side]);
    return row?.id ?? null;
  }
}

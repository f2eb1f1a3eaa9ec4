import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { LINE_CONTENT, type LineContent } from '../line-hash.js';
import { rfc3339 } from '../rfc3339.js';

/** The sealers of all replicas take this advisory lock; the number only has to be ours. */
const SEALER_LOCK = 7_163_511_202;

/** A line's place in the chain, and its hash, which stands for all lines before. */
export interface ChainPlace {
  sequence: number;
  hash: Buffer;
}

/** Where the chain ends, and what is waiting. */
export interface ChainEnd {
  /** The database's time, RFC 3339, UTC, microseconds. */
  now: string;
  lastSequence: number | null;
  lastHash: Buffer | null;
  checkpointSequence: number | null;
  checkpointHash: Buffer | null;
  /** Of the line at the place asked about; null when there is none. */
  seenHash: Buffer | null;
  /** Seconds since the last checkpoint. */
  checkpointAge: number | null;
  /** Seconds the oldest unsealed line has waited. */
  lag: number | null;
}

/**
 * The settings make the planner walk audit_log_unsealed_idx in order and stop. Without statistics about `hash`, which
 * changes for every line, it would rather collect and sort the whole backlog for each batch (28 µs a line at a backlog
 * of 100,000 instead of 4).
 */
const LOCK = `
  SELECT
    pg_try_advisory_xact_lock($1) AS locked,
    set_config('enable_bitmapscan', 'off', true), set_config('enable_seqscan', 'off', true)`;

/** Indexes: audit_log_sequence_key and audit_checkpoints_pkey, backwards for the last of each; audit_log_unsealed_idx. */
const CHAIN_END = `
  SELECT
    ${rfc3339('clock_timestamp()')} AS now,
    last.sequence::float8 AS "lastSequence", last.hash AS "lastHash",
    checkpoint.sequence::float8 AS "checkpointSequence", checkpoint.last_hash AS "checkpointHash",
    seen.hash AS "seenHash",
    extract(epoch FROM clock_timestamp() - checkpoint.at)::float8 AS "checkpointAge",
    extract(epoch FROM clock_timestamp() - oldest.at)::float8 AS lag
  FROM (VALUES (1)) AS always
  LEFT JOIN LATERAL (
    SELECT sequence, hash FROM audit_log WHERE sequence IS NOT NULL ORDER BY sequence DESC LIMIT 1
  ) AS last ON true
  LEFT JOIN LATERAL (
    SELECT sequence, last_hash, at FROM audit_checkpoints ORDER BY sequence DESC LIMIT 1
  ) AS checkpoint ON true
  LEFT JOIN LATERAL (SELECT hash FROM audit_log WHERE sequence = $2::bigint) AS seen ON true
  LEFT JOIN LATERAL (
    SELECT at FROM audit_log WHERE hash IS NULL AND id > $1 ORDER BY id LIMIT 1
  ) AS oldest ON true`;

/** Index: audit_log_unsealed_idx. */
const UNSEALED = `
  SELECT ${LINE_CONTENT} FROM audit_log AS l WHERE l.hash IS NULL AND l.id > $1 ORDER BY l.id LIMIT $2`;

/** Index: audit_log_pkey. */
const SEAL = `
  UPDATE audit_log AS l
  SET sequence = link.sequence, prev_hash = link.prev_hash, hash = link.hash
  FROM (
    SELECT id, hash, $3::bigint + place AS sequence, lag(hash, 1, $4::bytea) OVER (ORDER BY place) AS prev_hash
    FROM unnest($1::bigint[], $2::bytea[]) WITH ORDINALITY AS sealed (id, hash, place)
  ) AS link
  WHERE l.id = link.id`;

/** Index: audit_log_sequence_key. */
const HASHES = `SELECT hash FROM audit_log WHERE sequence > $1 AND sequence <= $2 ORDER BY sequence`;

/** The statements of the sealer; each needs its transaction and, but for the first, its lock. */
@Injectable()
export class SealRepository {
  /**
   * Takes the sealer's lock until the transaction ends. It is a statement of its own, because the snapshot of the next
   * one must be younger than the lock: then it sees all that the sealer before has committed.
   *
   * @returns false when another sealer has the lock
   */
  async lock(tx: EntityManager): Promise<boolean> {
    const [row] = await tx.query<{ locked: boolean }[]>(LOCK, [SEALER_LOCK]);
    return row?.locked === true;
  }

  /**
   * @param floor look for unsealed lines above this id
   * @param seen a sequence to tell the hash of
   */
  async chainEnd(tx: EntityManager, floor: number, seen: number | undefined): Promise<ChainEnd> {
    const [row] = await tx.query<ChainEnd[]>(CHAIN_END, [floor, seen ?? null]);
    if (!row) throw new Error('The end of the audit chain cannot be read');
    return row;
  }

  /** Committed lines above an id without a place in the chain, oldest id first. */
  unsealed(tx: EntityManager, floor: number, limit: number): Promise<LineContent[]> {
    return tx.query(UNSEALED, [floor, limit]);
  }

  /**
   * Gives the lines their places after the end of the chain.
   *
   * @param hashes one per id, in chain order
   */
  async seal(tx: EntityManager, end: ChainPlace, ids: readonly string[], hashes: readonly Buffer[]): Promise<void> {
    await tx.query(SEAL, [ids, hashes, end.sequence, end.hash]);
  }

  /** The hashes of lines with `after < sequence <= upTo`, in order. */
  async hashes(tx: EntityManager, after: number, upTo: number): Promise<Buffer[]> {
    const rows = await tx.query<{ hash: Buffer }[]>(HASHES, [after, upTo]);
    return rows.map(({ hash }) => hash);
  }
}

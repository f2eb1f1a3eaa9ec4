import type { EntityManager } from 'typeorm';
import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { Checkpoint } from './checkpoint.js';

/** `at` as text, because the signature covers its microseconds. */
const CHECKPOINT = `
  c.sequence::float8 AS sequence, c.lines::float8 AS lines, c.merkle_root AS "merkleRoot", c.last_hash AS "lastHash",
  to_char(c.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS at, c.key_id AS "keyId", c.signature`;

@Injectable()
export class CheckpointRepository {
  constructor(private readonly dataSource: DataSource) {}

  async insert(tx: EntityManager, checkpoint: Checkpoint): Promise<void> {
    const { sequence, lines, merkleRoot, lastHash, at, keyId, signature } = checkpoint;
    await tx.query(
      `INSERT INTO audit_checkpoints (sequence, lines, merkle_root, last_hash, at, key_id, signature)
       VALUES ($1, $2, $3, $4, $5, $6, $7)`,
      [sequence, lines, merkleRoot, lastHash, at, keyId, signature],
    );
  }

  /** Checkpoints with `after < sequence <= upTo`, in order. Index: pk_audit_checkpoints. */
  between(after: number, upTo: number): Promise<Checkpoint[]> {
    return this.dataSource.query(
      `SELECT ${CHECKPOINT} FROM audit_checkpoints AS c WHERE c.sequence > $1 AND c.sequence <= $2 ORDER BY c.sequence`,
      [after, upTo],
    );
  }

  /** The checkpoints at these sequences. Index: pk_audit_checkpoints. */
  at(sequences: readonly number[]): Promise<Checkpoint[]> {
    return this.dataSource.query(
      `SELECT ${CHECKPOINT} FROM audit_checkpoints AS c WHERE c.sequence = ANY ($1::bigint[])`,
      [sequences],
    );
  }

  /** Newest first, those before a sequence. Index: pk_audit_checkpoints, backwards. */
  latest(before: number | null, limit: number): Promise<Checkpoint[]> {
    return this.dataSource.query(
      `SELECT ${CHECKPOINT} FROM audit_checkpoints AS c
       WHERE $1::bigint IS NULL OR c.sequence < $1::bigint
       ORDER BY c.sequence DESC LIMIT $2`,
      [before, limit],
    );
  }
}

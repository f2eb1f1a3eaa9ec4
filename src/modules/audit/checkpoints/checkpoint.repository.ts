import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { rfc3339 } from '../rfc3339.js';
import type { Checkpoint } from './checkpoint.js';

const CHECKPOINT = `
  c.sequence::float8 AS sequence, c.lines::float8 AS lines, c.merkle_root AS "merkleRoot", c.last_hash AS "lastHash",
  ${rfc3339('c.at')} AS at, c.key_id AS "keyId", c.signature`;

const INSERT = `
  INSERT INTO audit_checkpoints (sequence, lines, merkle_root, last_hash, at, key_id, signature)
  VALUES ($1, $2, $3, $4, $5, $6, $7)`;

/** Index: audit_checkpoints_pkey. */
const BETWEEN = `
  SELECT ${CHECKPOINT}
  FROM audit_checkpoints AS c
  WHERE c.sequence > $1 AND c.sequence <= $2
  ORDER BY c.sequence`;

/** Index: audit_checkpoints_pkey. */
const AT = `SELECT ${CHECKPOINT} FROM audit_checkpoints AS c WHERE c.sequence = ANY ($1::bigint[])`;

/** Index: audit_checkpoints_pkey, backwards. */
const LATEST = `
  SELECT ${CHECKPOINT}
  FROM audit_checkpoints AS c
  WHERE $1::bigint IS NULL OR c.sequence < $1::bigint
  ORDER BY c.sequence DESC
  LIMIT $2`;

@Injectable()
export class CheckpointRepository {
  constructor(private readonly dataSource: DataSource) {}

  async insert(tx: EntityManager, checkpoint: Checkpoint): Promise<void> {
    const { sequence, lines, merkleRoot, lastHash, at, keyId, signature } = checkpoint;
    await tx.query(INSERT, [sequence, lines, merkleRoot, lastHash, at, keyId, signature]);
  }

  /** Checkpoints with `after < sequence <= upTo`, in order. */
  between(after: number, upTo: number): Promise<Checkpoint[]> {
    return this.dataSource.query(BETWEEN, [after, upTo]);
  }

  /** The checkpoints at these sequences, in any order. */
  at(sequences: readonly number[]): Promise<Checkpoint[]> {
    return this.dataSource.query(AT, [sequences]);
  }

  /** Newest first, those before a sequence. */
  latest(before: number | null, limit: number): Promise<Checkpoint[]> {
    return this.dataSource.query(LATEST, [before, limit]);
  }
}

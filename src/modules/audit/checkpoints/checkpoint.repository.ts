import { Inject, Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { rfc3339 } from '../rfc3339.js';
import type { Checkpoint } from './checkpoint.js';
import type { FormerKey } from './former-key.js';

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

/** One a rotation: no index. */
const FORMER_KEYS = `
  SELECT
    key_id AS "keyId", public_key AS "publicKey", last_sequence::float8 AS "lastSequence", last_hash AS "lastHash",
    vouched_by AS "vouchedBy", signature
  FROM audit_former_keys`;

/** A key that came back and went again without having signed anything is vouched for anew. Index: audit_former_keys_pkey. */
const ADD_FORMER_KEY = `
  INSERT INTO audit_former_keys (key_id, public_key, last_sequence, last_hash, vouched_by, signature)
  VALUES ($1, $2, $3, $4, $5, $6)
  ON CONFLICT (key_id, last_sequence) DO UPDATE
  SET vouched_by = excluded.vouched_by, signature = excluded.signature, last_hash = excluded.last_hash`;

@Injectable()
export class CheckpointRepository {
  constructor(@Inject(DataSource) private readonly db: Pick<DataSource, 'query'>) {}

  async insert(tx: EntityManager, checkpoint: Checkpoint): Promise<void> {
    const { sequence, lines, merkleRoot, lastHash, at, keyId, signature } = checkpoint;
    await tx.query(INSERT, [sequence, lines, merkleRoot, lastHash, at, keyId, signature]);
  }

  /** Checkpoints with `after < sequence <= upTo`, in order. */
  between(after: number, upTo: number): Promise<Checkpoint[]> {
    return this.db.query(BETWEEN, [after, upTo]);
  }

  /** The checkpoints at these sequences, in any order. */
  at(sequences: readonly number[]): Promise<Checkpoint[]> {
    return this.db.query(AT, [sequences]);
  }

  /** Newest first, those before a sequence. */
  latest(before: number | null, limit: number): Promise<Checkpoint[]> {
    return this.db.query(LATEST, [before, limit]);
  }

  /** In any order. */
  formerKeys(): Promise<FormerKey[]> {
    return this.db.query(FORMER_KEYS);
  }

  async addFormerKey(tx: EntityManager, former: FormerKey): Promise<void> {
    const { keyId, publicKey, lastSequence, lastHash, vouchedBy, signature } = former;
    await tx.query(ADD_FORMER_KEY, [keyId, publicKey, lastSequence, lastHash, vouchedBy, signature]);
  }
}

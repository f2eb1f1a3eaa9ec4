import { Column, Entity, PrimaryColumn } from 'typeorm';

/** Signed summaries of the chain (see `Checkpoint`). Triggers refuse UPDATE, DELETE and TRUNCATE. */
@Entity({ name: 'audit_checkpoints' })
export class AuditCheckpoint {
  @PrimaryColumn({ name: 'sequence', type: 'bigint', primaryKeyConstraintName: 'audit_checkpoints_pkey' })
  sequence: string;

  @Column({ name: 'lines', type: 'bigint' })
  lines: string;

  @Column({ name: 'merkle_root', type: 'bytea' })
  merkleRoot: Buffer;

  @Column({ name: 'last_hash', type: 'bytea' })
  lastHash: Buffer;

  @Column({ name: 'at', type: 'timestamptz' })
  at: Date;

  @Column({ name: 'key_id', type: 'text' })
  keyId: string;

  @Column({ name: 'signature', type: 'bytea' })
  signature: Buffer;
}

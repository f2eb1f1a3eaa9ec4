import { Check, Column, Entity, Index, PrimaryColumn } from 'typeorm';

/**
 * What was claimed and, once `completed`, answered. An `in_flight` record exists only for guarded routes: where effect
 * and answer commit together, the record is born completed.
 *
 * Thousands are inserted a second, so the text columns compare byte by byte, and there is one index beside the key. All
 * records of a batch expire together: its entries are one posting list of the index.
 */
@Entity('idempotency_records')
@Check('idempotency_records_fingerprint_check', 'octet_length(fingerprint) = 32')
@Check(
  'idempotency_records_state_check',
  `CASE state WHEN 'completed' THEN owner IS NULL AND locked_until IS NULL AND status IS NOT NULL AND content_type IS NOT NULL AND body IS NOT NULL WHEN 'in_flight' THEN owner IS NOT NULL AND locked_until IS NOT NULL AND status IS NULL AND content_type IS NULL AND body IS NULL ELSE false END`,
)
@Index('idempotency_records_expires_at_idx', ['expiresAt'])
export class IdempotencyRecord {
  /** `<actor>:<METHOD>:<route pattern>`. */
  @PrimaryColumn({ type: 'text', collation: 'C', primaryKeyConstraintName: 'idempotency_records_pkey' })
  scope: string;

  @PrimaryColumn({ type: 'text', collation: 'C', primaryKeyConstraintName: 'idempotency_records_pkey' })
  key: string;

  /** SHA-256 of the request. */
  @Column({ type: 'bytea' })
  fingerprint: Buffer;

  @Column({ type: 'text' })
  state: 'in_flight' | 'completed';

  /** The attempt that holds the claim. */
  @Column({ type: 'uuid', nullable: true })
  owner: string | null;

  /** After this another attempt may take over. */
  @Column({ name: 'locked_until', type: 'timestamptz', nullable: true })
  lockedUntil: Date | null;

  /** Of the answer, as are content type and body. */
  @Column({ type: 'smallint', nullable: true })
  status: number | null;

  @Column({ name: 'content_type', type: 'text', nullable: true })
  contentType: string | null;

  /** The exact text. */
  @Column({ type: 'text', nullable: true })
  body: string | null;

  /** When the answer was stored; before that, when the key was first claimed. */
  @Column({ name: 'created_at', type: 'timestamptz', default: () => 'now()' })
  createdAt: Date;

  @Column({ name: 'expires_at', type: 'timestamptz' })
  expiresAt: Date;
}

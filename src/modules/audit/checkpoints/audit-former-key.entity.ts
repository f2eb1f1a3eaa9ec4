import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A key whose signatures count up to a line (see `FormerKey`). */
@Entity('audit_former_keys')
export class AuditFormerKey {
  @PrimaryColumn({ name: 'key_id', type: 'text', primaryKeyConstraintName: 'audit_former_keys_pkey' })
  keyId: string;

  @PrimaryColumn({ name: 'last_sequence', type: 'bigint', primaryKeyConstraintName: 'audit_former_keys_pkey' })
  lastSequence: string;

  @Column({ name: 'last_hash', type: 'bytea' })
  lastHash: Buffer;

  /** DER, SubjectPublicKeyInfo (RFC 8410). */
  @Column({ name: 'public_key', type: 'bytea' })
  publicKey: Buffer;

  @Column({ name: 'vouched_by', type: 'text' })
  vouchedBy: string;

  @Column({ type: 'bytea' })
  signature: Buffer;
}

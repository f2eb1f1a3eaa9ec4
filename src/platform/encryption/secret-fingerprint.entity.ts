import { Check, Column, Entity, PrimaryColumn } from 'typeorm';

/** Which secret of the environment this database is used with, by a fingerprint that says nothing about it. */
@Entity('secret_fingerprints')
@Check('secret_fingerprints_name_check', `"name" IN ('ENCRYPTION_KEY', 'JWT_SECRET')`)
@Check('secret_fingerprints_fingerprint_check', `octet_length("fingerprint") = 32`)
export class SecretFingerprint {
  /** The variable. */
  @PrimaryColumn({ type: 'text', primaryKeyConstraintName: 'secret_fingerprints_pkey' })
  name: 'ENCRYPTION_KEY' | 'JWT_SECRET';

  @Column({ type: 'bytea' })
  fingerprint: Buffer;

  /** When it was seen first, or took another's place. */
  @Column({ type: 'timestamptz', default: () => 'now()' })
  since: Date;
}

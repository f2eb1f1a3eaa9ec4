import { Check, Column, Entity, Index, PrimaryColumn } from 'typeorm';
import type { EmailLimitKind } from './email-limit-kind.js';

/** What one e-mail address has used of one kind of mail, and what an admin made of its limit. The address itself is not here. */
@Entity('email_limits')
@Check('email_limits_email_hash_check', `octet_length("email_hash") = 32`)
@Check('email_limits_override_limit_check', `"override_limit" >= 0`)
@Check(
  'email_limits_override_whole_check',
  `num_nulls("override_limit", "override_set_by", "override_set_at") IN (0, 3)`,
)
export class EmailLimit {
  @PrimaryColumn({ type: 'text', primaryKeyConstraintName: 'email_limits_pkey' })
  kind: EmailLimitKind;

  /** HMAC-SHA-256 of the address, see `EmailHash`. */
  @PrimaryColumn({ name: 'email_hash', type: 'bytea', primaryKeyConstraintName: 'email_limits_pkey' })
  emailHash: Buffer;

  /** The sliding log: when mail was asked for, oldest first. Those older than the window go with the next attempt. */
  @Column({ type: 'timestamptz', array: true, default: () => `'{}'` })
  attempts: Date[];

  /** Attempts in the window; 0 for no limit, null where there is no override. */
  @Column({ name: 'override_limit', type: 'integer', nullable: true })
  overrideLimit: number | null;

  /** In force until then; null: until it is removed. */
  @Column({ name: 'override_until', type: 'timestamptz', nullable: true })
  overrideUntil: Date | null;

  /** The actor. */
  @Column({ name: 'override_set_by', type: 'text', nullable: true })
  overrideSetBy: string | null;

  @Column({ name: 'override_set_at', type: 'timestamptz', nullable: true })
  overrideSetAt: Date | null;

  /** Nothing in the row counts any more from then on; null: until its override is removed. */
  @Index('email_limits_expires_at_idx')
  @Column({ name: 'expires_at', type: 'timestamptz', nullable: true })
  expiresAt: Date | null;
}

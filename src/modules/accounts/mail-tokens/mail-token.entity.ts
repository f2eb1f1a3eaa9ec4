import { Check, Column, Entity, ForeignKey, Index, PrimaryColumn } from 'typeorm';
import { User } from '../users/user.entity.js';

/** What the bearer of a mailed token may do. */
export type MailTokenPurpose = 'verify-email' | 'reset-password';

/** Proof that somebody reads the mail of an account; for one use. */
@Entity('mail_tokens')
@Check('mail_tokens_token_hash_check', `octet_length("token_hash") = 32`)
@Check('mail_tokens_purpose_check', `"purpose" IN ('verify-email', 'reset-password')`)
export class MailToken {
  /** SHA-256, as of refresh tokens. */
  @PrimaryColumn({ name: 'token_hash', type: 'bytea', primaryKeyConstraintName: 'mail_tokens_pkey' })
  tokenHash: Buffer;

  @Index('mail_tokens_user_id_idx')
  @ForeignKey(() => User, { name: 'mail_tokens_user_id_fkey', onDelete: 'CASCADE' })
  @Column({ name: 'user_id', type: 'uuid' })
  userId: string;

  @Column({ type: 'text' })
  purpose: MailTokenPurpose;

  @Column({ name: 'created_at', type: 'timestamptz', default: () => 'now()' })
  createdAt: Date;

  @Index('mail_tokens_expires_at_idx')
  @Column({ name: 'expires_at', type: 'timestamptz' })
  expiresAt: Date;

  @Column({ name: 'used_at', type: 'timestamptz', nullable: true })
  usedAt: Date | null;
}

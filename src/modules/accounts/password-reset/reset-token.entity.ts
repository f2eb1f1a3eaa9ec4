import { Check, Column, Entity, ForeignKey, Index, PrimaryColumn } from 'typeorm';
import { User } from '../users/user.entity.js';

/** Proof that somebody reads the mail of an account; for one new password. */
@Entity('password_reset_tokens')
@Check('password_reset_tokens_token_hash_check', `octet_length("token_hash") = 32`)
export class ResetToken {
  /** SHA-256. No salt and no slow hash: 256 random bits cannot be guessed. */
  @PrimaryColumn({ name: 'token_hash', type: 'bytea', primaryKeyConstraintName: 'password_reset_tokens_pkey' })
  tokenHash: Buffer;

  @Index('password_reset_tokens_user_id_idx')
  @ForeignKey(() => User, { name: 'password_reset_tokens_user_id_fkey', onDelete: 'CASCADE' })
  @Column({ name: 'user_id', type: 'uuid' })
  userId: string;

  @Index('password_reset_tokens_expires_at_idx')
  @Column({ name: 'expires_at', type: 'timestamptz' })
  expiresAt: Date;
}

import { Check, Column, Entity, ForeignKey, Index, PrimaryColumn } from 'typeorm';
import { Session } from './session.entity.js';

/** Used ones stay as long as their session: whoever comes with one has stolen it, or was stolen from. */
@Entity('refresh_tokens')
@Check('refresh_tokens_token_hash_check', `octet_length("token_hash") = 32`)
export class RefreshToken {
  /** SHA-256. No salt and no slow hash: 256 random bits cannot be guessed. */
  @PrimaryColumn({ name: 'token_hash', type: 'bytea', primaryKeyConstraintName: 'refresh_tokens_pkey' })
  tokenHash: Buffer;

  @Index('refresh_tokens_session_id_idx')
  @ForeignKey(() => Session, { name: 'refresh_tokens_session_id_fkey', onDelete: 'CASCADE' })
  @Column({ name: 'session_id', type: 'uuid' })
  sessionId: string;

  @Column({ name: 'created_at', type: 'timestamptz', default: () => 'now()' })
  createdAt: Date;

  @Column({ name: 'used_at', type: 'timestamptz', nullable: true })
  usedAt: Date | null;
}

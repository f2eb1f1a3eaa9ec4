import { Check, Column, Entity, Index, PrimaryColumn } from 'typeorm';
import type { EmailAddress } from '../../../kernel/email-address.js';

/** A password that somebody wants for an address, and a token that proves it. No account comes of it before. */
@Entity('registrations')
@Check('registrations_token_hash_check', `octet_length("token_hash") = 32`)
export class Registration {
  /** SHA-256. No salt and no slow hash: 256 random bits cannot be guessed. */
  @PrimaryColumn({ name: 'token_hash', type: 'bytea', primaryKeyConstraintName: 'registrations_pkey' })
  tokenHash: Buffer;

  @Index('registrations_email_idx')
  @Column({ type: 'text' })
  email: EmailAddress;

  /**
   * Argon2id; the same for the same password of the same address, so that one can tell two people from one who came twice.
   * null: the link proves the address and brings no password.
   */
  @Column({ name: 'password_hash', type: 'text', nullable: true })
  passwordHash: string | null;

  @Index('registrations_created_at_idx')
  @Column({ name: 'created_at', type: 'timestamptz', default: () => 'now()' })
  createdAt: Date;

  /** Of the token; another can be mailed for as long as the row is there. */
  @Column({ name: 'expires_at', type: 'timestamptz' })
  expiresAt: Date;
}

import { Check, Column, Entity, Index, PrimaryColumn } from 'typeorm';
import type { EmailAddress } from '../../../kernel/email-address.js';
import type { Role } from './role.js';
import type { Subscription } from './subscription.js';

/** Somebody whose address is proved. Its id is the `userId` of wallets, payments and forms. */
@Entity('users')
@Check('users_role_check', `"role" IN ('user', 'operator', 'admin')`)
@Check('users_subscription_check', `"subscription" IN ('free', 'starter', 'pro', 'business', 'enterprise')`)
export class User {
  /** Version 7, so that the order of ids is the order of creation. */
  @PrimaryColumn({ type: 'uuid', primaryKeyConstraintName: 'users_pkey' })
  id: string;

  /** In its one form; in clear, because mail has to reach it. */
  @Index('users_email_key', { unique: true })
  @Column({ type: 'text' })
  email: EmailAddress;

  /** Argon2id, in PHC format with salt and cost. null: one has to be set by mail before anybody logs in. */
  @Column({ name: 'password_hash', type: 'text', nullable: true })
  passwordHash: string | null;

  @Column({ type: 'text', default: () => `'user'` })
  role: Role;

  @Column({ type: 'text', default: () => `'free'` })
  subscription: Subscription;

  @Column({ name: 'email_verified_at', type: 'timestamptz', default: () => 'now()' })
  emailVerifiedAt: Date;

  @Column({ name: 'password_changed_at', type: 'timestamptz', default: () => 'now()' })
  passwordChangedAt: Date;

  /** Where the last reset came from: its owner may log in from there however often others have tried. */
  @Column({ name: 'reset_from_network', type: 'text', nullable: true })
  resetFromNetwork: string | null;

  @Column({ name: 'created_at', type: 'timestamptz', default: () => 'now()' })
  createdAt: Date;
}

import { Check, Column, Entity, Index, PrimaryColumn } from 'typeorm';
import type { Scope } from '../../platform/auth/index.js';

/** Requests allowed, by name of the limit; 0 turns a limit off. Non-negative integers. */
export type ApiKeyLimits = Record<string, number>;

/** A key of a service. The key itself is not stored; rows stay after revocation, for the audit. */
@Entity('api_keys')
@Check('api_keys_key_hash_check', `octet_length("key_hash") = 32`)
@Check('api_keys_scopes_check', `cardinality("scopes") > 0`)
export class ApiKey {
  /** Version 7, so that the order of ids is the order of creation. */
  @PrimaryColumn({ type: 'uuid', primaryKeyConstraintName: 'api_keys_pkey' })
  id: string;

  @Column({ type: 'text' })
  name: string;

  /** The start of the key, to recognise it by. */
  @Column({ type: 'text' })
  prefix: string;

  /** SHA-256. No salt and no slow hash: 256 random bits cannot be guessed, and every request looks one up. */
  @Index('api_keys_key_hash_key', { unique: true })
  @Column({ name: 'key_hash', type: 'bytea' })
  keyHash: Buffer;

  @Column({ type: 'text', array: true })
  scopes: Scope[];

  @Column({ name: 'created_at', type: 'timestamptz', default: () => 'now()' })
  createdAt: Date;

  /** The actor, for example `api-key:<id>` or `cli`. */
  @Column({ name: 'created_by', type: 'text' })
  createdBy: string;

  /** The key that made it, with which it is revoked; null when no key did. */
  @Index('api_keys_maker_id_idx', { where: '"maker_id" IS NOT NULL' })
  @Column({ name: 'maker_id', type: 'uuid', nullable: true })
  makerId: string | null;

  /** The key in whose limits its requests are counted; null: in its own. */
  @Column({ name: 'shares_limits_of', type: 'uuid', nullable: true })
  sharesLimitsOf: string | null;

  @Column({ name: 'expires_at', type: 'timestamptz', nullable: true })
  expiresAt: Date | null;

  @Column({ name: 'revoked_at', type: 'timestamptz', nullable: true })
  revokedAt: Date | null;

  /** Written at most once a minute. */
  @Column({ name: 'last_used_at', type: 'timestamptz', nullable: true })
  lastUsedAt: Date | null;

  @Column({ type: 'jsonb', nullable: true })
  limits: ApiKeyLimits | null;
}

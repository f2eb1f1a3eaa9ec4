import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import type { EmailAddress } from '../../../kernel/email-address.js';
import type { Role } from './role.js';
import type { Subscription } from './subscription.js';
import type { User } from './user.entity.js';

/** Everything about a user but the password. */
export type UserRecord = Pick<User, 'id' | 'email' | 'role' | 'subscription' | 'emailVerifiedAt' | 'createdAt'>;

/** What a login is judged by. */
export interface UserCredentials {
  id: string;
  passwordHash: string;
  role: Role;
  verified: boolean;
  /** Whether the user logged in from this network lately, or set a new password from there. */
  familiar: boolean;
}

const COLUMNS = `id, email, role, subscription, email_verified_at AS "emailVerifiedAt", created_at AS "createdAt"`;

/** Index: users_pkey. */
const FIND = `SELECT ${COLUMNS} FROM users WHERE id = $1`;

/** Newest first; of one address, if it is given. Indexes: users_pkey, read backwards; users_email_key. */
const LIST = `
  SELECT ${COLUMNS}
  FROM users
  WHERE ($1::uuid IS NULL OR id < $1) AND ($2::text IS NULL OR email = $2)
  ORDER BY id DESC
  LIMIT $3`;

/** Indexes: users_email_key, sessions_user_id_network_idx. */
const CREDENTIALS = `
  SELECT
    id, password_hash AS "passwordHash", role, email_verified_at IS NOT NULL AS verified,
    (reset_from_network IS NOT DISTINCT FROM $2 AND password_changed_at > now() - interval '90 days')
      OR EXISTS (
        SELECT 1
        FROM sessions
        WHERE user_id = users.id AND network = $2 AND last_used_at > now() - interval '90 days'
      ) AS familiar
  FROM users
  WHERE email = $1`;

/** Index: users_email_key. */
const FIND_BY_EMAIL = `SELECT id, email_verified_at IS NOT NULL AS verified FROM users WHERE email = $1`;

/** An account that nobody has verified belongs to nobody yet: the last password given for it counts. Index: users_email_key. */
const REGISTER = `
  INSERT INTO users (id, email, password_hash)
  VALUES ($1, $2, $3)
  ON CONFLICT (email) DO UPDATE
  SET password_hash = excluded.password_hash, password_changed_at = now()
  WHERE users.email_verified_at IS NULL
  RETURNING id`;

/** Index: users_pkey. */
const VERIFY = `UPDATE users SET email_verified_at = now() WHERE id = $1 AND email_verified_at IS NULL RETURNING id`;

/** Whoever reads the mail of the address has verified it as well. Index: users_pkey. */
const SET_PASSWORD = `
  UPDATE users
  SET
    password_hash = $2, password_changed_at = now(), reset_from_network = $3,
    email_verified_at = coalesce(email_verified_at, now())
  WHERE id = $1
  RETURNING email`;

/** Index: users_pkey. */
const SET_ROLE = `UPDATE users SET role = $2 WHERE id = $1 RETURNING ${COLUMNS}`;

/** Index: users_pkey. */
const SET_SUBSCRIPTION = `UPDATE users SET subscription = $2 WHERE id = $1 RETURNING ${COLUMNS}`;

/** Index: users_unverified_idx. */
const REMOVE_UNVERIFIED = `
  DELETE FROM users
  WHERE ctid = ANY (ARRAY (
    SELECT ctid
    FROM users
    WHERE email_verified_at IS NULL AND password_changed_at < now() - interval '7 days'
    ORDER BY password_changed_at
    LIMIT $1
    FOR UPDATE SKIP LOCKED
  ))`;

@Injectable()
export class UsersRepository {
  constructor(private readonly dataSource: DataSource) {}

  async find(id: string): Promise<UserRecord | undefined> {
    const [user] = await this.dataSource.query<UserRecord[]>(FIND, [id]);
    return user;
  }

  /** @param before the last id of the page before, null for the first page */
  list(limit: number, before: string | null, email: EmailAddress | null): Promise<UserRecord[]> {
    return this.dataSource.query<UserRecord[]>(LIST, [before, email, limit]);
  }

  async credentials(email: EmailAddress, network: string): Promise<UserCredentials | undefined> {
    const [credentials] = await this.dataSource.query<UserCredentials[]>(CREDENTIALS, [email, network]);
    return credentials;
  }

  async findByEmail(tx: EntityManager, email: EmailAddress): Promise<{ id: string; verified: boolean } | undefined> {
    const [user] = await tx.query<{ id: string; verified: boolean }[]>(FIND_BY_EMAIL, [email]);
    return user;
  }

  /** @returns the id of the unverified account, or undefined when the address has a verified one, which is left alone */
  async register(
    tx: EntityManager,
    id: string,
    email: EmailAddress,
    passwordHash: string,
  ): Promise<string | undefined> {
    const [user] = await tx.query<{ id: string }[]>(REGISTER, [id, email, passwordHash]);
    return user?.id;
  }

  /** @returns false when it was verified before */
  async verify(tx: EntityManager, id: string): Promise<boolean> {
    const [verified] = await tx.query<[object[], number]>(VERIFY, [id]);
    return verified.length > 0;
  }

  /** @returns where to tell the user about it */
  async setPassword(
    tx: EntityManager,
    id: string,
    passwordHash: string,
    network: string,
  ): Promise<EmailAddress | undefined> {
    const [[user]] = await tx.query<[{ email: EmailAddress }[], number]>(SET_PASSWORD, [id, passwordHash, network]);
    return user?.email;
  }

  async setRole(tx: EntityManager, id: string, role: Role): Promise<UserRecord | undefined> {
    const [[user]] = await tx.query<[UserRecord[], number]>(SET_ROLE, [id, role]);
    return user;
  }

  async setSubscription(tx: EntityManager, id: string, subscription: Subscription): Promise<UserRecord | undefined> {
    const [[user]] = await tx.query<[UserRecord[], number]>(SET_SUBSCRIPTION, [id, subscription]);
    return user;
  }

  /** Those nobody verified within a week. @returns how many, `limit` at most */
  async removeUnverified(limit: number): Promise<number> {
    const [, removed] = await this.dataSource.query<[object[], number]>(REMOVE_UNVERIFIED, [limit]);
    return removed;
  }
}

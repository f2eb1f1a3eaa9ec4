import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { type EntityManager, type FindOptionsWhere, LessThan, Repository } from 'typeorm';
import type { EmailAddress } from '../../../kernel/email-address.js';
import type { Role } from './role.js';
import type { Subscription } from './subscription.js';
import { User } from './user.entity.js';

/** Everything about a user but the password. */
export type UserRecord = Pick<User, 'id' | 'email' | 'role' | 'subscription' | 'emailVerifiedAt' | 'createdAt'>;

/** What a login is judged by. */
export interface UserCredentials {
  id: string;
  passwordHash: string | null;
  role: Role;
  /** Whether the user logged in from this network lately, or set a new password from there. */
  familiar: boolean;
}

const RECORD = {
  id: true,
  email: true,
  role: true,
  subscription: true,
  emailVerifiedAt: true,
  createdAt: true,
} as const satisfies Record<keyof UserRecord, true>;

const COLUMNS = `id, email, role, subscription, email_verified_at AS "emailVerifiedAt", created_at AS "createdAt"`;

/** Indexes: users_email_key, sessions_user_id_network_idx. */
const CREDENTIALS = `
  SELECT
    id, password_hash AS "passwordHash", role,
    (reset_from_network IS NOT DISTINCT FROM $2 AND password_changed_at > now() - interval '90 days')
      OR EXISTS (
        SELECT 1
        FROM sessions
        WHERE user_id = users.id AND network = $2 AND last_used_at > now() - interval '90 days'
      ) AS familiar
  FROM users
  WHERE email = $1`;

/** Index: users_email_key. */
const INSERT = `
  INSERT INTO users (id, email, password_hash)
  VALUES ($1, $2, $3)
  ON CONFLICT (email) DO NOTHING
  RETURNING id`;

/** Index: users_pkey. */
const SET_PASSWORD = `
  UPDATE users
  SET password_hash = $2, password_changed_at = now(), reset_from_network = $3
  WHERE id = $1
  RETURNING email`;

/** In one order, so that two admins who change each other's roles do not deadlock. Index: users_pkey. */
const LOCK_ROLES = `SELECT id, role FROM users WHERE id = ANY ($1::uuid[]) ORDER BY id FOR UPDATE`;

/** Index: users_pkey. */
const SET_ROLE = `UPDATE users SET role = $2 WHERE id = $1 RETURNING ${COLUMNS}`;

/** Index: users_pkey. */
const SET_SUBSCRIPTION = `UPDATE users SET subscription = $2 WHERE id = $1 RETURNING ${COLUMNS}`;

@Injectable()
export class UsersRepository {
  constructor(@InjectRepository(User) private readonly users: Repository<User>) {}

  async find(id: string): Promise<UserRecord | undefined> {
    return (await this.users.findOne({ select: RECORD, where: { id } })) ?? undefined;
  }

  async subscription(tx: EntityManager, id: string): Promise<Subscription | undefined> {
    const user = await tx
      .withRepository(this.users)
      .findOne({ select: { id: true, subscription: true }, where: { id } });
    return user?.subscription;
  }

  /**
   * Newest first.
   *
   * @param before the last id of the page before, null for the first page
   * @param email null for all
   */
  list(limit: number, before: string | null, email: EmailAddress | null): Promise<UserRecord[]> {
    const where: FindOptionsWhere<User> = {};
    if (before !== null) where.id = LessThan(before);
    if (email !== null) where.email = email;
    return this.users.find({ select: RECORD, where, order: { id: 'DESC' }, take: limit });
  }

  async credentials(email: EmailAddress, network: string): Promise<UserCredentials | undefined> {
    const [credentials] = await this.users.query<UserCredentials[]>(CREDENTIALS, [email, network]);
    return credentials;
  }

  async findByEmail(tx: EntityManager, email: EmailAddress): Promise<{ id: string } | undefined> {
    return (await tx.withRepository(this.users).findOne({ select: { id: true }, where: { email } })) ?? undefined;
  }

  /** @returns undefined when the address has an account by now */
  async insert(
    tx: EntityManager,
    id: string,
    email: EmailAddress,
    passwordHash: string | null,
  ): Promise<string | undefined> {
    const [user] = await tx.query<{ id: string }[]>(INSERT, [id, email, passwordHash]);
    return user?.id;
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

  /** Locks the users until the transaction ends. @returns their roles, by id */
  async lockRoles(tx: EntityManager, ids: readonly string[]): Promise<ReadonlyMap<string, Role>> {
    const users = await tx.query<{ id: string; role: Role }[]>(LOCK_ROLES, [ids]);
    return new Map(users.map(({ id, role }) => [id, role]));
  }

  async setRole(tx: EntityManager, id: string, role: Role): Promise<UserRecord | undefined> {
    const [[user]] = await tx.query<[UserRecord[], number]>(SET_ROLE, [id, role]);
    return user;
  }

  async setSubscription(tx: EntityManager, id: string, subscription: Subscription): Promise<UserRecord | undefined> {
    const [[user]] = await tx.query<[UserRecord[], number]>(SET_SUBSCRIPTION, [id, subscription]);
    return user;
  }
}

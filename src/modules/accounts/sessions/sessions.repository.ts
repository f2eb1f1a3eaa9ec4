import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { Every } from '../../../platform/schedule/index.js';
import { Transactor } from '../../../platform/transaction/index.js';
import { isStaffRole, type Role, type StaffRole } from '../users/role.js';

export interface NewSession {
  id: string;
  userId: string;
  /** The session is for whoever has this password and role: none is opened once one of them was changed. */
  passwordHash: string;
  role: Role;
  network: string;
  tokenHash: Buffer;
  lifetimeDays: number;
}

/** A refresh token as it was found. */
export interface FoundRefreshToken {
  sessionId: string;
  userId: string;
  role: Role;
  /** Before now: somebody else has it too. */
  used: boolean;
  /** Neither revoked nor expired. */
  alive: boolean;
}

/**
 * The share lock waits for a password or role that is being changed right now, and makes such a change wait: its
 * revocation of all sessions then meets this one. Index: users_pkey.
 */
const OPEN = `
  WITH owner AS (
    SELECT id FROM users WHERE id = $2 AND password_hash = $3 AND role = $7 FOR SHARE
  ), session AS (
    INSERT INTO sessions (id, user_id, network, expires_at)
    SELECT $1, id, $4, now() + $6 * interval '1 day'
    FROM owner
    RETURNING id
  )
  INSERT INTO refresh_tokens (token_hash, session_id)
  SELECT $5, id
  FROM session
  RETURNING session_id`;

/** Two who come with one token wait for each other, and the second finds it used. Indexes: the primary keys. */
const FIND_TOKEN = `
  SELECT
    token.session_id AS "sessionId", session.user_id AS "userId", owner.role, token.used_at IS NOT NULL AS used,
    session.revoked_at IS NULL AND session.expires_at > now() AS alive
  FROM refresh_tokens AS token
  JOIN sessions AS session ON session.id = token.session_id
  JOIN users AS owner ON owner.id = session.user_id
  WHERE token.token_hash = $1
  FOR UPDATE OF token, session`;

/** Index: refresh_tokens_pkey. */
const USE_TOKEN = `UPDATE refresh_tokens SET used_at = now() WHERE token_hash = $1`;

/** Index: sessions_pkey. */
const ADD_TOKEN = `
  WITH renewed AS (
    UPDATE sessions
    SET last_used_at = now(), expires_at = now() + $3 * interval '1 day'
    WHERE id = $1
    RETURNING id
  )
  INSERT INTO refresh_tokens (token_hash, session_id)
  SELECT $2, id
  FROM renewed`;

/** Index: sessions_pkey. */
const REVOKE = `UPDATE sessions SET revoked_at = now() WHERE id = $1 AND revoked_at IS NULL RETURNING id`;

/** Index: sessions_user_id_network_idx. */
const REVOKE_ALL = `
  UPDATE sessions
  SET revoked_at = now()
  WHERE user_id = $1 AND revoked_at IS NULL AND expires_at > now()
  RETURNING id`;

/** Indexes: sessions_pkey, users_pkey. */
const STAFF_ROLE = `
  SELECT owner.role
  FROM sessions AS session
  JOIN users AS owner ON owner.id = session.user_id
  WHERE session.id = $1 AND session.user_id = $2 AND session.revoked_at IS NULL AND session.expires_at > now()`;

/** A while after they have ended: networks of late logins stay familiar. Index: sessions_expires_at_idx. */
const REMOVE_ENDED = `
  DELETE FROM sessions
  WHERE ctid = ANY (ARRAY (
    SELECT ctid
    FROM sessions
    WHERE expires_at < now() - interval '90 days'
    ORDER BY expires_at
    LIMIT $1
    FOR UPDATE SKIP LOCKED
  ))`;

/** Sessions and the refresh tokens that keep them alive. All times are the database's. */
@Injectable()
export class SessionsRepository {
  constructor(
    private readonly dataSource: DataSource,
    private readonly transactor: Transactor,
  ) {}

  /** @returns false when the password or the role is no longer the user's */
  async open(tx: EntityManager, session: NewSession): Promise<boolean> {
    const rows = await tx.query<object[]>(OPEN, [
      session.id,
      session.userId,
      session.passwordHash,
      session.network,
      session.tokenHash,
      session.lifetimeDays,
      session.role,
    ]);
    return rows.length > 0;
  }

  /** Locks the token and its session until the transaction ends. */
  async findToken(tx: EntityManager, tokenHash: Buffer): Promise<FoundRefreshToken | undefined> {
    const [token] = await tx.query<FoundRefreshToken[]>(FIND_TOKEN, [tokenHash]);
    return token;
  }

  /** One token's place is taken by the next. */
  async rotate(tx: EntityManager, sessionId: string, used: Buffer, next: Buffer, lifetimeDays: number): Promise<void> {
    await tx.query(USE_TOKEN, [used]);
    await tx.query(ADD_TOKEN, [sessionId, next, lifetimeDays]);
  }

  /** @returns false when it was revoked before */
  async revoke(tx: EntityManager, sessionId: string): Promise<boolean> {
    const [revoked] = await tx.query<[object[], number]>(REVOKE, [sessionId]);
    return revoked.length > 0;
  }

  /** @returns how many of the user's sessions were alive */
  async revokeAll(tx: EntityManager, userId: string): Promise<number> {
    const [revoked] = await tx.query<[object[], number]>(REVOKE_ALL, [userId]);
    return revoked.length;
  }

  /** @returns undefined when the session has ended, or its user is no staff (any more) */
  async staffRole(sessionId: string, userId: string): Promise<StaffRole | undefined> {
    const [owner] = await this.dataSource.query<{ role: Role }[]>(STAFF_ROLE, [sessionId, userId]);
    return isStaffRole(owner?.role) ? owner.role : undefined;
  }

  /** @returns how many, `limit` at most */
  @Every(60_000, { name: 'ended sessions', role: 'background', batch: 500 })
  removeEnded(limit: number): Promise<number> {
    return this.transactor.affected(REMOVE_ENDED, [limit]);
  }
}

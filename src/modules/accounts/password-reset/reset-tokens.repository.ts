import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { Every } from '../../../platform/schedule/index.js';
import { Transactor } from '../../../platform/transaction/index.js';

const ADD = `
  INSERT INTO password_reset_tokens (token_hash, user_id, expires_at)
  VALUES ($1, $2, now() + $3 * interval '1 hour')`;

/** Index: password_reset_tokens_pkey. */
const IS_GOOD = `SELECT FROM password_reset_tokens WHERE token_hash = $1 AND expires_at > now()`;

/**
 * In one order, so that those who come with other tokens of the user wait instead of deadlocking. Indexes:
 * password_reset_tokens_pkey, password_reset_tokens_user_id_idx.
 */
const LOCK = `
  SELECT
  FROM password_reset_tokens
  WHERE user_id = (SELECT user_id FROM password_reset_tokens WHERE token_hash = $1)
  ORDER BY token_hash
  FOR UPDATE`;

/** Of two at once one finds it. Index: password_reset_tokens_pkey. */
const TAKE = `
  DELETE FROM password_reset_tokens
  WHERE token_hash = $1 AND expires_at > now()
  RETURNING user_id AS "userId"`;

/** Index: password_reset_tokens_user_id_idx. */
const WITHDRAW = `DELETE FROM password_reset_tokens WHERE user_id = $1`;

/** Index: password_reset_tokens_expires_at_idx. */
const REMOVE_EXPIRED = `
  DELETE FROM password_reset_tokens
  WHERE ctid = ANY (ARRAY (
    SELECT ctid
    FROM password_reset_tokens
    WHERE expires_at < now()
    ORDER BY expires_at
    LIMIT $1
    FOR UPDATE SKIP LOCKED
  ))`;

/** Tokens to set a new password with: hashed, single use, expiring. */
@Injectable()
export class ResetTokensRepository {
  constructor(
    private readonly dataSource: DataSource,
    private readonly transactor: Transactor,
  ) {}

  async add(tx: EntityManager, tokenHash: Buffer, userId: string, hours: number): Promise<void> {
    await tx.query(ADD, [tokenHash, userId, hours]);
  }

  /** Whether the token is worth work that costs something, before it is taken. */
  async isGood(tokenHash: Buffer): Promise<boolean> {
    return (await this.dataSource.query<object[]>(IS_GOOD, [tokenHash])).length > 0;
  }

  /** @returns whose it is, once; undefined for a token that is unknown, used or expired */
  async take(tx: EntityManager, tokenHash: Buffer): Promise<string | undefined> {
    await tx.query(LOCK, [tokenHash]);
    const [[taken]] = await tx.query<[{ userId: string }[], number]>(TAKE, [tokenHash]);
    return taken?.userId;
  }

  /** None of the user's tokens works any more. */
  async withdraw(tx: EntityManager, userId: string): Promise<void> {
    await tx.query(WITHDRAW, [userId]);
  }

  /** @returns how many, `limit` at most */
  @Every(60_000, { name: 'expired password reset tokens', role: 'background', batch: 500 })
  removeExpired(limit: number): Promise<number> {
    return this.transactor.affected(REMOVE_EXPIRED, [limit]);
  }
}

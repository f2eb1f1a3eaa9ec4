import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { newSecretToken, secretTokenHash } from '../secret-token.js';
import type { MailTokenPurpose } from './mail-token.entity.js';

const HOUR_MS = 3_600_000;

/** For how long a mailed link works. */
export const MAIL_TOKEN_LIFETIME_MS: Readonly<Record<MailTokenPurpose, number>> = {
  'verify-email': 24 * HOUR_MS,
  'reset-password': HOUR_MS,
};

const ISSUE = `
  INSERT INTO mail_tokens (token_hash, user_id, purpose, expires_at)
  VALUES ($1, $2, $3, now() + $4 * interval '1 millisecond')`;

/** Of two at once one finds it unused. Index: mail_tokens_pkey. */
const USE = `
  UPDATE mail_tokens
  SET used_at = now()
  WHERE token_hash = $1 AND purpose = $2 AND used_at IS NULL AND expires_at > now()
  RETURNING user_id AS "userId"`;

/** Index: mail_tokens_pkey. */
const IS_GOOD = `
  SELECT FROM mail_tokens WHERE token_hash = $1 AND purpose = $2 AND used_at IS NULL AND expires_at > now()`;

/** Index: mail_tokens_user_id_idx. */
const WITHDRAW = `UPDATE mail_tokens SET used_at = now() WHERE user_id = $1 AND purpose = $2 AND used_at IS NULL`;

/** Index: mail_tokens_expires_at_idx. */
const REMOVE_EXPIRED = `
  DELETE FROM mail_tokens
  WHERE ctid = ANY (ARRAY (
    SELECT ctid FROM mail_tokens WHERE expires_at < now() ORDER BY expires_at LIMIT $1 FOR UPDATE SKIP LOCKED
  ))`;

/** Tokens that reach a user by mail: hashed here, single use, expiring. */
@Injectable()
export class MailTokens {
  constructor(private readonly dataSource: DataSource) {}

  /** @returns the token, which nobody can read again */
  async issue(tx: EntityManager, userId: string, purpose: MailTokenPurpose): Promise<string> {
    const { token, hash } = newSecretToken('hfm');
    await tx.query(ISSUE, [hash, userId, purpose, MAIL_TOKEN_LIFETIME_MS[purpose]]);
    return token;
  }

  /** Whether the token is worth work that costs something, before it is used. */
  async isGood(token: string, purpose: MailTokenPurpose): Promise<boolean> {
    const hash = secretTokenHash(token);
    return hash !== undefined && (await this.dataSource.query<object[]>(IS_GOOD, [hash, purpose])).length > 0;
  }

  /** @returns whose it is, once; undefined for a token that is unknown, used, expired or for something else */
  async use(tx: EntityManager, token: string, purpose: MailTokenPurpose): Promise<string | undefined> {
    const hash = secretTokenHash(token);
    if (!hash) return undefined;
    const [[used]] = await tx.query<[{ userId: string }[], number]>(USE, [hash, purpose]);
    return used?.userId;
  }

  /** None of the user's tokens for it works any more. */
  async withdraw(tx: EntityManager, userId: string, purpose: MailTokenPurpose): Promise<void> {
    await tx.query(WITHDRAW, [userId, purpose]);
  }

  /** @returns how many, `limit` at most */
  async removeExpired(limit: number): Promise<number> {
    const [, removed] = await this.dataSource.query<[object[], number]>(REMOVE_EXPIRED, [limit]);
    return removed;
  }
}

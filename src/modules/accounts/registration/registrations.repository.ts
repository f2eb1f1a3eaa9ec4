import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { EmailAddress } from '../../../kernel/email-address.js';
import { Every } from '../../../platform/schedule/index.js';
import { Transactor } from '../../../platform/transaction/index.js';

/** What a mailed token proved. */
export interface ProvedRegistration {
  email: EmailAddress;
  /** null when none counts: the link brought none, or registrations with other passwords waited for the same address. */
  passwordHash: string | null;
}

const ADD = `
  INSERT INTO registrations (token_hash, email, password_hash, expires_at)
  VALUES ($1, $2, $3, now() + $4 * interval '1 hour')`;

/** Of a link that still works. Index: registrations_email_idx. */
const LATEST = `
  SELECT CASE WHEN expires_at > now() THEN password_hash END AS "passwordHash"
  FROM registrations
  WHERE email = $1
  ORDER BY created_at DESC
  LIMIT 1`;

/**
 * In one order, so that those who come with other tokens of the address wait instead of deadlocking. Indexes: registrations_pkey,
 * registrations_email_idx.
 */
const LOCK = `
  SELECT
  FROM registrations
  WHERE email = (SELECT email FROM registrations WHERE token_hash = $1)
  ORDER BY token_hash
  FOR UPDATE`;

/**
 * All that waited for the address are done with. Of two at once one finds nothing. Indexes: registrations_pkey,
 * registrations_email_idx.
 */
const TAKE = `
  WITH proved AS (
    DELETE FROM registrations
    WHERE token_hash = $1 AND expires_at > now()
    RETURNING email, password_hash
  ), others AS (
    DELETE FROM registrations AS other
    USING proved
    WHERE other.email = proved.email AND other.token_hash <> $1
    RETURNING other.password_hash
  )
  SELECT
    email,
    CASE
      WHEN NOT EXISTS (SELECT FROM others WHERE others.password_hash <> proved.password_hash) THEN password_hash
    END AS "passwordHash"
  FROM proved`;

/** Index: registrations_email_idx. */
const FORGET = `DELETE FROM registrations WHERE email = $1`;

/** Index: registrations_created_at_idx. */
const REMOVE_OLD = `
  DELETE FROM registrations
  WHERE ctid = ANY (ARRAY (
    SELECT ctid
    FROM registrations
    WHERE created_at < now() - interval '30 days'
    ORDER BY created_at
    LIMIT $1
    FOR UPDATE SKIP LOCKED
  ))`;

/** Registrations that wait for their proof, for a month. */
@Injectable()
export class RegistrationsRepository {
  constructor(private readonly transactor: Transactor) {}

  async add(
    tx: EntityManager,
    tokenHash: Buffer,
    email: EmailAddress,
    passwordHash: string | null,
    hours: number,
  ): Promise<void> {
    await tx.query(ADD, [tokenHash, email, passwordHash, hours]);
  }

  /**
   * @returns undefined when nobody registered the address lately, or somebody has proved it since; a password only from
   *   within the last day, so that nobody gets a stranger's by asking for a mail long after
   */
  async latest(tx: EntityManager, email: EmailAddress): Promise<{ passwordHash: string | null } | undefined> {
    const [row] = await tx.query<{ passwordHash: string | null }[]>(LATEST, [email]);
    return row;
  }

  /** @returns undefined for a token that is unknown, used or expired */
  async take(tx: EntityManager, tokenHash: Buffer): Promise<ProvedRegistration | undefined> {
    await tx.query(LOCK, [tokenHash]);
    const [proved] = await tx.query<ProvedRegistration[]>(TAKE, [tokenHash]);
    return proved;
  }

  /** For an address that has an account. */
  async forget(tx: EntityManager, email: EmailAddress): Promise<void> {
    await tx.query(FORGET, [email]);
  }

  /** @returns how many, `limit` at most */
  @Every(60_000, { name: 'old registrations', role: 'background', batch: 500 })
  removeOld(limit: number): Promise<number> {
    return this.transactor.affected(REMOVE_OLD, [limit]);
  }
}

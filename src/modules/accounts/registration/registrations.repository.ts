import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { EmailAddress } from '../../../kernel/email-address.js';
import { Transactor } from '../../../platform/transaction/index.js';

/** What a mailed token proved. */
export interface ProvedRegistration {
  email: EmailAddress;
  passwordHash: string;
  /** Registrations with other passwords were waiting for the same address. */
  contested: boolean;
}

const ADD = `
  INSERT INTO registrations (token_hash, email, password_hash, expires_at)
  VALUES ($1, $2, $3, now() + $4 * interval '1 hour')`;

/** Index: registrations_email_idx. */
const LATEST_PASSWORD = `
  SELECT password_hash AS "passwordHash"
  FROM registrations
  WHERE email = $1
  ORDER BY created_at DESC
  LIMIT 1`;

/** All that waited for the address are done with. Of two at once one finds nothing. Indexes: registrations_pkey, _email_idx. */
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
    email, password_hash AS "passwordHash",
    EXISTS (SELECT FROM others WHERE others.password_hash <> proved.password_hash) AS contested
  FROM proved`;

/** Index: registrations_created_at_idx. */
const REMOVE_OLD = `
  DELETE FROM registrations
  WHERE ctid = ANY (ARRAY (
    SELECT ctid
    FROM registrations
    WHERE created_at < now() - interval '7 days'
    ORDER BY created_at
    LIMIT $1
    FOR UPDATE SKIP LOCKED
  ))`;

/** Registrations that wait for their proof, for a week. */
@Injectable()
export class RegistrationsRepository {
  constructor(private readonly transactor: Transactor) {}

  async add(
    tx: EntityManager,
    tokenHash: Buffer,
    email: EmailAddress,
    passwordHash: string,
    hours: number,
  ): Promise<void> {
    await tx.query(ADD, [tokenHash, email, passwordHash, hours]);
  }

  /** @returns undefined when nobody registered the address lately, or somebody has proved it since */
  async latestPassword(tx: EntityManager, email: EmailAddress): Promise<string | undefined> {
    const [row] = await tx.query<{ passwordHash: string }[]>(LATEST_PASSWORD, [email]);
    return row?.passwordHash;
  }

  /** @returns undefined for a token that is unknown, used or expired */
  async take(tx: EntityManager, tokenHash: Buffer): Promise<ProvedRegistration | undefined> {
    const [proved] = await tx.query<ProvedRegistration[]>(TAKE, [tokenHash]);
    return proved;
  }

  /** @returns how many, `limit` at most */
  removeOld(limit: number): Promise<number> {
    return this.transactor.affected(REMOVE_OLD, [limit]);
  }
}

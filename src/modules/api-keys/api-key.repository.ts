import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { Transactor } from '../../platform/transaction/index.js';
import type { ApiKey } from './api-key.entity.js';

/** Everything about a key but its hash. */
export type ApiKeyRecord = Omit<ApiKey, 'keyHash'>;

export type NewApiKeyRow = Pick<
  ApiKey,
  'id' | 'name' | 'prefix' | 'keyHash' | 'scopes' | 'createdBy' | 'expiresAt' | 'limits'
> & {
  /** The key that makes this one, which does not outlive it; null when no key does. */
  makerId: string | null;
};

/** A key as the database's clock sees it at this moment. */
export interface ApiKeyState {
  id: string;
  name: string;
  prefix: string;
  keyHash: Buffer;
  scopes: string[];
  limits: ApiKey['limits'];
  revoked: boolean;
  expired: boolean;
  /** null when it never expires */
  msUntilExpiry: number | null;
}

export interface ApiKeyUse {
  id: string;
  /** How long ago, by the clock of this process; only the database's clock says when that was. */
  msAgo: number;
}

const COLUMNS = `
  id, name, prefix, scopes, created_at AS "createdAt", created_by AS "createdBy", expires_at AS "expiresAt",
  revoked_at AS "revokedAt", last_used_at AS "lastUsedAt", limits`;

/** Index: api_keys_key_hash_key. */
const FIND_STATE = `
  SELECT
    id, name, prefix, key_hash AS "keyHash", scopes, limits,
    revoked_at IS NOT NULL AS revoked,
    coalesce(expires_at <= now(), false) AS expired,
    (extract(epoch FROM expires_at - now()) * 1000)::float8 AS "msUntilExpiry"
  FROM api_keys
  WHERE key_hash = $1`;

/** Index: api_keys_pkey. */
const FIND = `SELECT ${COLUMNS} FROM api_keys WHERE id = $1`;

/** Newest first. Index: api_keys_pkey, read backwards. */
const LIST = `
  SELECT ${COLUMNS}
  FROM api_keys
  WHERE $1::uuid IS NULL OR id < $1
  ORDER BY id DESC
  LIMIT $2`;

/**
 * No row when it has expired already or the same key is there. A key ends with its maker at the latest (least() passes
 * over null, which stands for never), and has its maker's limits unless it is given its own. Indexes: api_keys_pkey,
 * api_keys_key_hash_key.
 */
const INSERT = `
  INSERT INTO api_keys (id, name, key_hash, prefix, scopes, created_by, expires_at, limits)
  SELECT
    $1::uuid, $2::text, $3::bytea, $4::text, $5::text[], $6::text,
    least($7::timestamptz, maker.expires_at), coalesce($8::jsonb, maker.limits)
  FROM (SELECT) AS this
  LEFT JOIN api_keys AS maker ON maker.id = $9::uuid
  WHERE coalesce(least($7::timestamptz, maker.expires_at) > now(), true)
  ON CONFLICT (key_hash) DO NOTHING
  RETURNING ${COLUMNS}`;

/** Index: api_keys_pkey. */
const REVOKE = `
  UPDATE api_keys
  SET revoked_at = now()
  WHERE id = $1 AND revoked_at IS NULL
  RETURNING name, prefix, key_hash AS "keyHash"`;

/**
 * Locked in the order of ids, so that two replicas writing the same keys do not deadlock; a later time is never
 * replaced by an earlier one. Index: api_keys_pkey.
 */
const RECORD_USE = `
  WITH used AS (
    SELECT id, clock_timestamp() - ms_ago * interval '1 millisecond' AS at
    FROM unnest($1::uuid[], $2::float8[]) AS use (id, ms_ago)
  ), locked AS (
    SELECT id FROM api_keys WHERE id = ANY ($1::uuid[]) ORDER BY id FOR NO KEY UPDATE
  )
  UPDATE api_keys AS key
  SET last_used_at = greatest(key.last_used_at, used.at)
  FROM used JOIN locked USING (id)
  WHERE key.id = used.id`;

/** There are few keys: no index. */
const HAS_ACTIVE_ADMIN = `
  SELECT EXISTS (
    SELECT 1
    FROM api_keys
    WHERE 'admin' = ANY (scopes) AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now())
  ) AS found`;

const LOCK_FIRST_ADMIN = `SELECT pg_advisory_xact_lock(hashtextextended('holdfast:first-admin-key', 0))`;

@Injectable()
export class ApiKeyRepository {
  constructor(
    private readonly dataSource: DataSource,
    private readonly transactor: Transactor,
  ) {}

  async findState(keyHash: Buffer): Promise<ApiKeyState | undefined> {
    const [state] = await this.dataSource.query<ApiKeyState[]>(FIND_STATE, [keyHash]);
    return state;
  }

  async find(id: string): Promise<ApiKeyRecord | undefined> {
    const [record] = await this.dataSource.query<ApiKeyRecord[]>(FIND, [id]);
    return record;
  }

  /** @param before the last id of the page before, null for the first page */
  list(limit: number, before: string | null): Promise<ApiKeyRecord[]> {
    return this.dataSource.query<ApiKeyRecord[]>(LIST, [before, limit]);
  }

  /** @returns undefined when `expiresAt` is past by the database's clock, or the key exists */
  async insert(tx: EntityManager, row: NewApiKeyRow): Promise<ApiKeyRecord | undefined> {
    const [record] = await tx.query<ApiKeyRecord[]>(INSERT, [
      row.id,
      row.name,
      row.keyHash,
      row.prefix,
      row.scopes,
      row.createdBy,
      row.expiresAt,
      row.limits,
      row.makerId,
    ]);
    return record;
  }

  /** @returns what was revoked, or undefined when there was nothing (left) to revoke */
  async revoke(tx: EntityManager, id: string): Promise<Pick<ApiKey, 'name' | 'prefix' | 'keyHash'> | undefined> {
    const [[revoked]] = await tx.query<[Pick<ApiKey, 'name' | 'prefix' | 'keyHash'>[], number]>(REVOKE, [id]);
    return revoked;
  }

  async recordUse(uses: readonly ApiKeyUse[]): Promise<void> {
    await this.transactor.statement(RECORD_USE, [uses.map(({ id }) => id), uses.map(({ msAgo }) => msAgo)]);
  }

  async hasActiveAdmin(tx: EntityManager): Promise<boolean> {
    const [row] = await tx.query<{ found: boolean }[]>(HAS_ACTIVE_ADMIN);
    return row?.found ?? false;
  }

  /** Until the transaction ends, no other process passes this line. */
  async lockFirstAdmin(tx: EntityManager): Promise<void> {
    await tx.query(LOCK_FIRST_ADMIN);
  }
}

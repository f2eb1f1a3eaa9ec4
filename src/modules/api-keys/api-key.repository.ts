import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { type EntityManager, IsNull, LessThan, Not, Repository } from 'typeorm';
import { Transactor } from '../../platform/transaction/index.js';
import { ApiKey } from './api-key.entity.js';

/** Everything about a key but its hash. */
export type ApiKeyRecord = Omit<ApiKey, 'keyHash'>;

export type NewApiKeyRow = Pick<
  ApiKey,
  'id' | 'name' | 'prefix' | 'keyHash' | 'scopes' | 'createdBy' | 'makerId' | 'expiresAt' | 'limits'
> & {
  /** Whether its requests are counted in the limits of its maker, or in whichever those are counted. */
  sharesLimits: boolean;
};

/** What is told about a key that was revoked. */
export type RevokedApiKey = Pick<ApiKey, 'id' | 'name' | 'prefix' | 'keyHash'>;

/** A key as the database's clock sees it at this moment. */
export interface ApiKeyState {
  id: string;
  name: string;
  prefix: string;
  keyHash: Buffer;
  scopes: string[];
  limits: ApiKey['limits'];
  sharesLimitsOf: string | null;
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
  id, name, prefix, scopes, created_at AS "createdAt", created_by AS "createdBy", maker_id AS "makerId",
  shares_limits_of AS "sharesLimitsOf", expires_at AS "expiresAt", revoked_at AS "revokedAt", last_used_at AS "lastUsedAt", limits`;

/** Without the hash. */
const RECORD = {
  id: true,
  name: true,
  prefix: true,
  scopes: true,
  createdAt: true,
  createdBy: true,
  makerId: true,
  sharesLimitsOf: true,
  expiresAt: true,
  revokedAt: true,
  lastUsedAt: true,
  limits: true,
} as const satisfies Record<keyof ApiKeyRecord, true>;

/** Index: api_keys_key_hash_key. */
const FIND_STATES = `
  SELECT
    id, name, prefix, key_hash AS "keyHash", scopes, limits, shares_limits_of AS "sharesLimitsOf",
    revoked_at IS NOT NULL AS revoked,
    coalesce(expires_at <= now(), false) AS expired,
    (extract(epoch FROM expires_at - now()) * 1000)::float8 AS "msUntilExpiry"
  FROM api_keys
  WHERE key_hash = ANY ($1::bytea[])`;

/**
 * No row when it has expired already, its maker is revoked, or the same key is there. A key ends with its maker at the
 * latest (least() passes over null, which stands for never), and has its maker's limits unless it is given its own.
 * Indexes: api_keys_pkey, api_keys_key_hash_key.
 */
const INSERT = `
  INSERT INTO api_keys (
    id, name, key_hash, prefix, scopes, created_by, maker_id, expires_at, limits, shares_limits_of
  )
  SELECT
    $1::uuid, $2::text, $3::bytea, $4::text, $5::text[], $6::text, maker.id,
    least($7::timestamptz, maker.expires_at), coalesce($8::jsonb, maker.limits),
    CASE WHEN $10::boolean THEN coalesce(maker.shares_limits_of, maker.id) END
  FROM (SELECT) AS this
  LEFT JOIN api_keys AS maker ON maker.id = $9::uuid
  WHERE coalesce(least($7::timestamptz, maker.expires_at) > now(), true) AND maker.revoked_at IS NULL
  ON CONFLICT (key_hash) DO NOTHING
  RETURNING ${COLUMNS}`;

/**
 * Keys that make keys hold it shared and a revocation alone, so that no key is made between what a revocation reads and
 * what it writes.
 */
const LOCK_FAMILIES = `SELECT pg_advisory_xact_lock(hashtextextended('holdfast:api-key-families', 0))`;
const LOCK_FAMILIES_SHARED = `SELECT pg_advisory_xact_lock_shared(hashtextextended('holdfast:api-key-families', 0))`;

/**
 * The key, those it made, those they made, and so on; a revoked one does not end the search. A key that an admin made
 * counts for itself (it shares nobody's limits) and lives for itself, unless $2 takes those along too. Locked in the order
 * of ids, as RECORD_USE does. Indexes: api_keys_pkey, api_keys_maker_id_idx.
 */
const REVOKE = `
  WITH RECURSIVE family AS (
    SELECT id FROM api_keys WHERE id = $1
    UNION
    SELECT made.id
    FROM family
    JOIN api_keys AS made ON made.maker_id = family.id AND ($2::boolean OR made.shares_limits_of IS NOT NULL)
  ), locked AS (
    SELECT id
    FROM api_keys
    WHERE id IN (SELECT id FROM family) AND revoked_at IS NULL
    ORDER BY id
    FOR NO KEY UPDATE
  )
  UPDATE api_keys AS key
  SET revoked_at = now()
  FROM locked
  WHERE key.id = locked.id AND key.revoked_at IS NULL
  RETURNING key.id, key.name, key.prefix, key.key_hash AS "keyHash"`;

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
    @InjectRepository(ApiKey) private readonly keys: Repository<ApiKey>,
    private readonly transactor: Transactor,
  ) {}

  /** Of those that are there, in any order. */
  findStates(keyHashes: readonly Buffer[]): Promise<ApiKeyState[]> {
    return this.keys.query(FIND_STATES, [keyHashes]);
  }

  async find(id: string): Promise<ApiKeyRecord | undefined> {
    return (await this.keys.findOne({ select: RECORD, where: { id } })) ?? undefined;
  }

  /** Newest first. @param before the last id of the page before, null for the first page */
  list(limit: number, before: string | null): Promise<ApiKeyRecord[]> {
    return this.keys.find({
      select: RECORD,
      where: before === null ? {} : { id: LessThan(before) },
      order: { id: 'DESC' },
      take: limit,
    });
  }

  /** @returns undefined when `expiresAt` is past by the database's clock, the maker is revoked, or the key exists */
  async insert(tx: EntityManager, row: NewApiKeyRow): Promise<ApiKeyRecord | undefined> {
    if (row.makerId !== null) await tx.query(LOCK_FAMILIES_SHARED);
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
      row.sharesLimits,
    ]);
    return record;
  }

  isRevoked(tx: EntityManager, id: string): Promise<boolean> {
    return tx.withRepository(this.keys).existsBy({ id, revokedAt: Not(IsNull()) });
  }

  /**
   * Under READ COMMITTED.
   *
   * @param withAdminMade also those that an admin key made
   * @returns what was revoked: the key and what came of it, but for what had been revoked before
   */
  async revoke(tx: EntityManager, id: string, withAdminMade: boolean): Promise<RevokedApiKey[]> {
    await tx.query(LOCK_FAMILIES);
    const [revoked] = await tx.query<[RevokedApiKey[], number]>(REVOKE, [id, withAdminMade]);
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

import { Inject, Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { CONFIG, type Config } from '../../config/index.js';
import { newId } from '../../kernel/ids.js';
import { Transactor } from '../transaction/index.js';
import type { AnswerContent, IdempotencyClaim, KnownClaim } from './claim.js';
import { FIND, type FoundRow, knownClaim } from './find-claims.js';

/** One attempt at a request; what it writes, it writes by comparing `owner`. */
export interface Ownership {
  readonly claim: IdempotencyClaim;
  /** UUID of the attempt. */
  readonly owner: string;
}

export type Acquisition =
  | (Ownership & {
      /** An earlier attempt of the same request ended without an answer, and without giving the key back. */
      readonly resumed: boolean;
    })
  | { readonly known: KnownClaim };

/**
 * A free key, an expired record, or an attempt of the same request whose lock has ended: all else stays as it is. The
 * last keeps the time at which the key was first claimed. Index: idempotency_records_pkey.
 */
const ACQUIRE = `
  INSERT INTO idempotency_records AS record (scope, key, fingerprint, state, owner, locked_until, expires_at)
  VALUES (
    $1, $2, decode($3, 'hex'), 'in_flight', $4,
    clock_timestamp() + $5 * interval '1 millisecond', now() + $6 * interval '1 hour'
  )
  ON CONFLICT (scope, key) DO UPDATE
  SET
    fingerprint = excluded.fingerprint, state = 'in_flight', owner = excluded.owner,
    locked_until = excluded.locked_until, status = NULL, content_type = NULL, body = NULL,
    created_at = CASE WHEN record.expires_at > now() THEN record.created_at ELSE now() END,
    expires_at = excluded.expires_at
  WHERE
    (record.locked_until IS NULL OR record.locked_until <= clock_timestamp())
    AND (
      record.expires_at <= now()
      OR (record.state = 'in_flight' AND record.fingerprint = excluded.fingerprint)
    )
  RETURNING created_at < now() AS resumed`;

/** Index: idempotency_records_pkey. */
const COMPLETE = `
  UPDATE idempotency_records
  SET
    state = 'completed', owner = NULL, locked_until = NULL, status = $4, content_type = $5, body = $6,
    created_at = now(), expires_at = now() + $7 * interval '1 hour'
  WHERE scope = $1 AND key = $2 AND owner = $3
  RETURNING created_at AS "createdAt"`;

/** Index: idempotency_records_pkey. */
const RELEASE = `DELETE FROM idempotency_records WHERE scope = $1 AND key = $2 AND owner = $3`;

/** Index: idempotency_records_pkey. */
const EXTEND = `
  UPDATE idempotency_records AS record
  SET locked_until = clock_timestamp() + $4 * interval '1 millisecond'
  FROM unnest($1::text[], $2::text[], $3::uuid[]) AS held (scope, key, owner)
  WHERE record.scope = held.scope AND record.key = held.key AND record.owner = held.owner
  RETURNING record.owner`;

/** How often a key may be given back between our two looks at it. */
const TRIES = 5;

/** Claims of guarded routes. Each method is one atomic step; locks and expiry go by the database's clock. */
@Injectable()
export class IdempotencyStore {
  constructor(
    @Inject(CONFIG) private readonly config: Pick<Config, 'IDEMPOTENCY_TTL_HOURS' | 'IDEMPOTENCY_LOCK_MS'>,
    private readonly dataSource: DataSource,
    private readonly transactor: Transactor,
  ) {}

  /** Takes the key for a new attempt, or tells who has it; the fingerprint there may be that of another request. */
  async acquire(claim: IdempotencyClaim): Promise<Acquisition> {
    const owner = newId();
    const { IDEMPOTENCY_LOCK_MS, IDEMPOTENCY_TTL_HOURS } = this.config;
    const parameters = [claim.scope, claim.key, claim.fingerprint, owner, IDEMPOTENCY_LOCK_MS, IDEMPOTENCY_TTL_HOURS];
    for (let attempt = 1; ; attempt++) {
      const [acquired] = await this.transactor.statement<{ resumed: boolean }>(ACQUIRE, parameters);
      if (acquired) return { claim, owner, resumed: acquired.resumed };
      const known = await this.find(claim);
      if (known) return { known };
      if (attempt === TRIES) return { known: { state: 'in_flight', fingerprint: claim.fingerprint, retryAfter: 1 } };
    }
  }

  /** What is committed under the claim's key; undefined when it is free. */
  async find({ scope, key }: IdempotencyClaim): Promise<KnownClaim | undefined> {
    const [row] = await this.dataSource.query<FoundRow[]>(FIND, [[scope], [key], this.config.IDEMPOTENCY_TTL_HOURS]);
    return row && knownClaim(row);
  }

  /** @returns when it was stored; undefined, and nothing is stored, when another attempt has taken over */
  async complete({ claim, owner }: Ownership, answer: AnswerContent): Promise<Date | undefined> {
    const [[stored]] = await this.write<{ createdAt: Date }>(COMPLETE, [
      claim.scope,
      claim.key,
      owner,
      answer.status,
      answer.contentType,
      answer.body,
      this.config.IDEMPOTENCY_TTL_HOURS,
    ]);
    return stored?.createdAt;
  }

  /** Gives the key back, for the next request to start anew; does nothing when another attempt has taken over. */
  async release({ claim, owner }: Ownership): Promise<void> {
    await this.write(RELEASE, [claim.scope, claim.key, owner]);
  }

  /** Locks them for a full time again. @returns the owners that still hold their key */
  async extend(held: readonly Ownership[]): Promise<Set<string>> {
    const [rows] = await this.write<{ owner: string }>(EXTEND, [
      held.map(({ claim }) => claim.scope),
      held.map(({ claim }) => claim.key),
      held.map(({ owner }) => owner),
      this.config.IDEMPOTENCY_LOCK_MS,
    ]);
    return new Set(rows.map(({ owner }) => owner));
  }

  /** TypeORM answers UPDATE and DELETE with the rows and their number. */
  private async write<Row extends object>(sql: string, parameters: unknown[]): Promise<[Row[], number]> {
    return this.dataSource.query<[Row[], number]>(sql, parameters);
  }
}

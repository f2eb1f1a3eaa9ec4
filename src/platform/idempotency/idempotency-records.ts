import { Inject, Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { CONFIG, type Config } from '../../config/index.js';
import { prepared, runnerOf, runPrepared, TransactionConflictError } from '../database/index.js';
import type { AnswerContent, IdempotencyClaim, KnownClaim } from './claim.js';
import { FIND, type FoundRow, knownClaim } from './find-claims.js';

/**
 * Expired records are replaced; a live one makes no row, which `complete` refuses to take for success. The bodies travel
 * as one value, because an array of text would be quoted here and parsed again there. Sorted, so that two batches
 * which share keys wait for each other in one direction. Index: idempotency_records_pkey.
 */
const COMPLETE = prepared(
  'complete_idempotency_records',
  `
  INSERT INTO idempotency_records AS record (
    scope, key, fingerprint, state, status, content_type, body, created_at, expires_at
  )
  SELECT
    scope, key, decode(fingerprint, 'hex'), 'completed', status, content_type,
    convert_from(substr($1::bytea, body_at, body_length), 'UTF8'), now(), now() + $9 * interval '1 hour'
  FROM unnest($2::integer[], $3::integer[], $4::text[], $5::text[], $6::text[], $7::smallint[], $8::text[])
    AS t (body_at, body_length, scope, key, fingerprint, status, content_type)
  ORDER BY scope COLLATE "C", key COLLATE "C"
  ON CONFLICT (scope, key) DO UPDATE
  SET
    fingerprint = excluded.fingerprint, state = 'completed', owner = NULL, locked_until = NULL,
    status = excluded.status, content_type = excluded.content_type, body = excluded.body,
    created_at = excluded.created_at, expires_at = excluded.expires_at
  WHERE record.expires_at <= now() AND (record.locked_until IS NULL OR record.locked_until <= now())
  RETURNING created_at AS "createdAt"`,
);

/** Somebody else stored an answer under one of the keys after this transaction had looked: the next attempt finds it. */
export class ClaimTakenMeanwhileError extends TransactionConflictError {
  override readonly name = 'ClaimTakenMeanwhileError';

  constructor() {
    super('Another transaction stored an answer under one of the idempotency keys of this one');
  }
}

/**
 * The record inside the business transaction: claim, effect and stored answer commit together or not at all, so there is
 * nothing in flight and no moment in which a crash could leave one without the other.
 */
@Injectable()
export class IdempotencyRecords {
  constructor(@Inject(CONFIG) private readonly config: Pick<Config, 'IDEMPOTENCY_TTL_HOURS'>) {}

  /**
   * What is known of each claim, in the same order; undefined for a key that is free or has expired. Compare the
   * fingerprints: `IdempotencyKeyReusedError` is the caller's to throw.
   */
  async find(tx: EntityManager, claims: readonly IdempotencyClaim[]): Promise<(KnownClaim | undefined)[]> {
    const known: (KnownClaim | undefined)[] = Array.from({ length: claims.length });
    if (claims.length === 0) return known;
    const rows = await tx.query<FoundRow[]>(FIND, [
      claims.map(({ scope }) => scope),
      claims.map(({ key }) => key),
      this.config.IDEMPOTENCY_TTL_HOURS,
    ]);
    for (const row of rows) known[row.position - 1] = knownClaim(row);
    return known;
  }

  /**
   * Stores the answers, in one statement. Each scope and key at most once; find out with `find` first that they are
   * free.
   *
   * @returns the transaction's time: when these answers were created
   * @throws ClaimTakenMeanwhileError (run the transaction again) when a key was taken since `find`
   */
  async complete(
    tx: EntityManager,
    completed: readonly { readonly claim: IdempotencyClaim; readonly answer: AnswerContent }[],
  ): Promise<Date> {
    const bodies = completed.map(({ answer }) => Buffer.from(answer.body, 'utf8'));
    let at = 1;
    const rows = await runPrepared<{ createdAt: Date }>(runnerOf(tx), COMPLETE, [
      Buffer.concat(bodies),
      bodies.map(({ length }) => (at += length) - length),
      bodies.map(({ length }) => length),
      completed.map(({ claim }) => claim.scope),
      completed.map(({ claim }) => claim.key),
      completed.map(({ claim }) => claim.fingerprint),
      completed.map(({ answer }) => answer.status),
      completed.map(({ answer }) => answer.contentType),
      this.config.IDEMPOTENCY_TTL_HOURS,
    ]);
    const [first] = rows;
    if (!first || rows.length !== completed.length) throw new ClaimTakenMeanwhileError();
    return first.createdAt;
  }
}

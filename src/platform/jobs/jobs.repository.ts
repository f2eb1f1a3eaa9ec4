import { Inject, Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { stringifyExactJson } from '../../kernel/exact-json.js';
import { newId } from '../../kernel/ids.js';
import { PROCESS_NAME } from '../../kernel/process-name.js';
import { SecretBox, sealedPlace } from '../encryption/index.js';
import { Transactor } from '../transaction/index.js';
import type { NewJob } from './job.js';
import { JOB_PAYLOADS } from './job-row.entity.js';
import { JOB_TIMINGS, type JobTimings } from './job-timings.js';

/** A job this process may work on until its lease ends. */
export interface ClaimedJob {
  id: string;
  claimId: string;
  /** Where its row lies (`ctid`); a heartbeat moves it. */
  place: string;
  kind: string;
  /** Sealed. */
  payload: Buffer;
  /** That failed, before this one. */
  attempts: number;
  /** Whose worker did not come back, before this one. */
  abandoned: number;
  /** True when this claim took it over from such a worker. */
  takenOver: boolean;
  createdAt: Date;
}

/** How much of a kind there is room for. */
export interface Room {
  kind: string;
  free: number;
}

const ENQUEUE = `
  INSERT INTO jobs (id, kind, payload, due_at, expires_at)
  SELECT
    id, kind, payload, clock_timestamp(), clock_timestamp() + expires_ms * interval '1 millisecond'
  FROM unnest($1::uuid[], $2::text[], $3::bytea[], $4::float8[]) AS t (id, kind, payload, expires_ms)`;

/**
 * Due jobs, and those whose lease has ended: their worker was killed, or hangs. What is locked is at work in a
 * transaction, or being claimed. Index: jobs_due_idx.
 */
const CLAIM = `
  WITH due AS MATERIALIZED (
    SELECT id, state AS former_state
    FROM unnest($1::text[], $2::integer[]) AS room (kind, free)
    CROSS JOIN LATERAL (
      SELECT id, state
      FROM jobs
      WHERE kind = room.kind AND due_at <= now() AND (expires_at IS NULL OR expires_at > now())
      ORDER BY due_at
      LIMIT room.free
      FOR UPDATE SKIP LOCKED
    ) AS job
  ),
  claimed AS (
    UPDATE jobs
    SET
      state = 'RUNNING', claim_id = gen_random_uuid(), claimed_by = $3,
      due_at = clock_timestamp() + $4 * interval '1 millisecond',
      abandoned = abandoned + CASE WHEN former_state = 'RUNNING' THEN 1 ELSE 0 END
    FROM due
    WHERE jobs.id = due.id
    RETURNING jobs.*, jobs.ctid, former_state
  )
  SELECT
    id, claim_id AS "claimId", ctid::text AS place, kind, payload, attempts, abandoned,
    former_state = 'RUNNING' AS "takenOver", created_at AS "createdAt"
  FROM claimed
  ORDER BY created_at, id`;

/**
 * The first statement of an attempt in a transaction: takes the job's row for as long as it lasts, so that neither a
 * heartbeat nor another worker changes it underneath, and lets PostgreSQL itself end the attempt of a worker that hangs.
 * By place: found through an index, jobs that had nothing to do with each other would fail to serialize.
 */
const BEGIN = `
  SELECT set_config('statement_timeout', $3, true), set_config('idle_in_transaction_session_timeout', $4, true)
  FROM jobs
  WHERE ctid = $5::tid AND id = $1 AND claim_id = $2
  FOR UPDATE`;

/** Index: jobs_pkey. */
const LOCATE = `SELECT ctid::text AS place FROM jobs WHERE id = $1 AND claim_id = $2`;

/** By place for the reason in BEGIN. */
const FINISH_IN_PLACE = `DELETE FROM jobs WHERE ctid = $3::tid AND id = $1 AND claim_id = $2`;

/** Index: jobs_pkey. */
const FINISH = `DELETE FROM jobs WHERE id = $1 AND claim_id = $2`;

/** Index: jobs_pkey. */
const RETRY = `
  UPDATE jobs
  SET
    state = 'WAITING', due_at = clock_timestamp() + $3 * interval '1 millisecond', attempts = attempts + $4,
    error = coalesce($5, error), claim_id = NULL, claimed_by = NULL
  WHERE id = $1 AND claim_id = $2`;

/** Index: jobs_pkey. */
const GIVE_UP = `
  UPDATE jobs
  SET
    state = 'GIVEN_UP', payload = NULL, due_at = NULL, attempts = attempts + 1, error = $3,
    claim_id = NULL, claimed_by = NULL, given_up_at = clock_timestamp()
  WHERE id = $1 AND claim_id = $2`;

/**
 * Heartbeat. A job whose attempt has its transaction open is locked: that is a better sign of life than this one, and
 * nobody can claim it. Index: jobs_pkey.
 */
const EXTEND = `
  WITH held AS MATERIALIZED (
    SELECT id
    FROM jobs
    WHERE id = ANY ($1::uuid[]) AND claim_id = ANY ($2::uuid[])
    FOR UPDATE SKIP LOCKED
  ),
  extended AS (
    UPDATE jobs SET due_at = clock_timestamp() + $3 * interval '1 millisecond' WHERE id IN (SELECT id FROM held)
  )
  SELECT claim_id AS "claimId"
  FROM jobs
  WHERE id = ANY ($1::uuid[]) AND claim_id = ANY ($2::uuid[])`;

/** Single jobs: who may work on what, until when. All times are the database's. */
@Injectable()
export class JobsRepository {
  constructor(
    private readonly transactor: Transactor,
    private readonly secrets: SecretBox,
    @Inject(JOB_TIMINGS) private readonly timings: JobTimings,
  ) {}

  /** @returns the ids, in order */
  async insert(tx: EntityManager, jobs: readonly NewJob[]): Promise<string[]> {
    if (jobs.length === 0) return [];
    const rows = jobs.map((job) => ({ ...job, id: newId() }));
    await tx.query(ENQUEUE, [
      rows.map(({ id }) => id),
      rows.map(({ kind }) => kind),
      rows.map(({ id, payload }) =>
        this.secrets.seal(stringifyExactJson({ ...payload }), sealedPlace(JOB_PAYLOADS, id)),
      ),
      rows.map(({ expiresInMs }) => (expiresInMs === undefined ? null : checkedTime(expiresInMs))),
    ]);
    return rows.map(({ id }) => id);
  }

  /** @throws SecretUnreadableError when it was sealed with another ENCRYPTION_KEY */
  payloadOf({ id, payload }: ClaimedJob): string {
    return this.secrets.open(payload, sealedPlace(JOB_PAYLOADS, id));
  }

  /** Claims due jobs as far as there is room, oldest due first, skipping what others are claiming. */
  claim(room: readonly Room[]): Promise<ClaimedJob[]> {
    return this.transactor.statement<ClaimedJob>(CLAIM, [
      room.map(({ kind }) => kind),
      room.map(({ free }) => free),
      PROCESS_NAME,
      this.timings.lease,
    ]);
  }

  /** @returns false when the row is not in its place any more: a heartbeat moved it, or the claim was lost */
  async begin(tx: EntityManager, job: ClaimedJob, timeoutMs: number): Promise<boolean> {
    const idleTimeout = Math.max(this.timings.lease, timeoutMs);
    const parameters = [job.id, job.claimId, String(timeoutMs), String(idleTimeout), job.place];
    return (await tx.query<unknown[]>(BEGIN, parameters)).length === 1;
  }

  /** @returns the job with its row's present place; undefined when the claim was lost */
  async locate(job: ClaimedJob): Promise<ClaimedJob | undefined> {
    const [row] = await this.transactor.statement<{ place: string }>(LOCATE, [job.id, job.claimId]);
    return row && { ...job, ...row };
  }

  /** In the transaction of its effect. @returns false when the claim was lost: the caller must roll back */
  async finishInTransaction(tx: EntityManager, job: ClaimedJob): Promise<boolean> {
    const [, finished] = await tx.query<[object[], number]>(FINISH_IN_PLACE, [job.id, job.claimId, job.place]);
    return finished === 1;
  }

  /** As are the following: @returns false when the claim was lost; somebody else decides about the job now */
  finish(job: ClaimedJob): Promise<boolean> {
    return this.decide(FINISH, [job.id, job.claimId]);
  }

  retry(job: ClaimedJob, delayMs: number, error: string): Promise<boolean> {
    return this.decide(RETRY, [job.id, job.claimId, delayMs, 1, error]);
  }

  /** Back as it was, to be claimed after `delayMs`: no attempt is used up. */
  putBack(job: ClaimedJob, delayMs: number, error: string | null): Promise<boolean> {
    return this.decide(RETRY, [job.id, job.claimId, delayMs, 0, error]);
  }

  /** For good: the payload goes. */
  giveUp(job: ClaimedJob, error: string): Promise<boolean> {
    return this.decide(GIVE_UP, [job.id, job.claimId, error]);
  }

  /** Heartbeat: another lease for every claim that is still ours. @returns the ids of those claims */
  async extend(jobs: readonly ClaimedJob[]): Promise<Set<string>> {
    const rows = await this.transactor.statement<{ claimId: string }>(EXTEND, [
      jobs.map(({ id }) => id),
      jobs.map(({ claimId }) => claimId),
      this.timings.lease,
    ]);
    return new Set(rows.map(({ claimId }) => claimId));
  }

  private async decide(statement: string, parameters: unknown[]): Promise<boolean> {
    return (await this.transactor.affected(statement, parameters)) === 1;
  }
}

function checkedTime(ms: number): number {
  if (!Number.isFinite(ms) || ms < 0) throw new RangeError(`${ms} ms is not a time in which a job can expire`);
  return ms;
}

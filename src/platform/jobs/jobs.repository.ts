import { Inject, Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { stringifyExactJson } from '../../kernel/exact-json.js';
import { newId } from '../../kernel/ids.js';
import { SecretBox, sealedPlace } from '../encryption/index.js';
import { Transactor } from '../transaction/index.js';
import { type Claimed, WorkQueue, type WorkTable } from '../work-queue/index.js';
import type { NewJob } from './job.js';
import { JOB_PAYLOADS } from './job-row.entity.js';
import { JOB_TIMINGS, type JobTimings } from './job-timings.js';

/** A job this process may work on until its lease ends. */
export interface ClaimedJob extends Claimed {
  kind: string;
  /** Sealed. */
  payload: Buffer;
  /** That failed, before this one. */
  attempts: number;
  /** Whose worker did not come back, before this one. */
  abandoned: number;
  createdAt: Date;
}

/** How much of a kind there is room for. */
export interface Room {
  kind: string;
  free: number;
}

/** Index: jobs_due_idx. */
const JOBS: WorkTable = {
  table: 'jobs',
  noun: 'job',
  dueAt: 'due_at',
  state: { column: 'state', running: 'RUNNING' },
  // Their worker was killed, or hangs.
  takesOver: true,
  claimable: 'expires_at IS NULL OR expires_at > now()',
  lane: 'kind',
  onClaim: `abandoned = abandoned + CASE WHEN state = 'RUNNING' THEN 1 ELSE 0 END`,
  columns: 'kind, payload, attempts, abandoned, created_at AS "createdAt"',
};

const ENQUEUE = `
  INSERT INTO jobs (id, kind, payload, due_at, expires_at)
  SELECT
    id, kind, payload, clock_timestamp(), clock_timestamp() + expires_ms * interval '1 millisecond'
  FROM unnest($1::uuid[], $2::text[], $3::bytea[], $4::float8[]) AS t (id, kind, payload, expires_ms)`;

/** Beginnings of statements that end a claim: `WorkQueue` adds the WHERE. Parameters of their own begin with `$3`. */
const FINISH_HEAD = `DELETE FROM jobs`;

const RETRY_HEAD = `
  UPDATE jobs
  SET
    state = 'WAITING', due_at = clock_timestamp() + $3 * interval '1 millisecond', attempts = attempts + $4,
    error = coalesce($5, error), claim_id = NULL, claimed_by = NULL`;

const GIVE_UP_HEAD = `
  UPDATE jobs
  SET
    state = 'GIVEN_UP', payload = NULL, due_at = NULL, attempts = attempts + 1, error = $3,
    claim_id = NULL, claimed_by = NULL, given_up_at = clock_timestamp()`;

/** Single jobs: who may work on what, until when. All times are the database's. */
@Injectable()
export class JobsRepository extends WorkQueue<ClaimedJob> {
  constructor(
    transactor: Transactor,
    private readonly secrets: SecretBox,
    @Inject(JOB_TIMINGS) timings: JobTimings,
  ) {
    super(transactor, JOBS, timings.lease);
  }

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
    return this.claimDue(
      room.map(({ kind }) => kind),
      room.map(({ free }) => free),
    );
  }

  /** Once, together with what `work` writes. @throws ClaimLostError */
  finishInTransaction(job: ClaimedJob, timeoutMs: number, work: (tx: EntityManager) => Promise<void>): Promise<void> {
    return this.finishWith(job, FINISH_HEAD, timeoutMs, work);
  }

  /** As are the following: @returns false when the claim was lost; somebody else decides about the job now */
  finish(job: ClaimedJob): Promise<boolean> {
    return this.decide(job, FINISH_HEAD);
  }

  retry(job: ClaimedJob, delayMs: number, error: string): Promise<boolean> {
    return this.decide(job, RETRY_HEAD, delayMs, 1, error);
  }

  /** Back as it was, to be claimed after `delayMs`: no attempt is used up. */
  putBack(job: ClaimedJob, delayMs: number, error: string | null): Promise<boolean> {
    return this.decide(job, RETRY_HEAD, delayMs, 0, error);
  }

  /** For good: the payload goes. */
  giveUp(job: ClaimedJob, error: string): Promise<boolean> {
    return this.decide(job, GIVE_UP_HEAD, error);
  }

  private async decide(job: ClaimedJob, head: string, ...parameters: unknown[]): Promise<boolean> {
    return (await this.end([job], head, ...parameters)) === 1;
  }
}

function checkedTime(ms: number): number {
  if (!Number.isFinite(ms) || ms < 0) throw new RangeError(`${ms} ms is not a time in which a job can expire`);
  return ms;
}

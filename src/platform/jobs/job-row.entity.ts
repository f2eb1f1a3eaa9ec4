import { Check, Column, Entity, Index, PrimaryColumn } from 'typeorm';
import type { SealedColumn } from '../encryption/index.js';

/** A payload opens as that of its own job only. */
export const JOB_PAYLOADS: SealedColumn = { table: 'jobs', column: 'payload' };

/** A job that is not done yet, or was given up. Those that are done have no row. */
@Entity('jobs')
// By kind first: a process claims only kinds it handles, each as far as it has room for it.
@Index('jobs_due_idx', ['kind', 'dueAt'], { where: `"due_at" IS NOT NULL` })
@Index('jobs_expires_at_idx', ['expiresAt'], { where: `"expires_at" IS NOT NULL AND "due_at" IS NOT NULL` })
@Index('jobs_given_up_at_idx', ['givenUpAt'], { where: `"given_up_at" IS NOT NULL` })
@Check('jobs_counts_check', '"attempts" >= 0 AND "abandoned" >= 0')
@Check(
  'jobs_state_check',
  `CASE state WHEN 'WAITING' THEN payload IS NOT NULL AND due_at IS NOT NULL AND claim_id IS NULL AND claimed_by IS NULL AND given_up_at IS NULL WHEN 'RUNNING' THEN payload IS NOT NULL AND due_at IS NOT NULL AND claim_id IS NOT NULL AND claimed_by IS NOT NULL AND given_up_at IS NULL WHEN 'GIVEN_UP' THEN payload IS NULL AND due_at IS NULL AND claim_id IS NULL AND claimed_by IS NULL AND given_up_at IS NOT NULL AND error IS NOT NULL ELSE false END`,
)
export class JobRow {
  @PrimaryColumn({ type: 'uuid', primaryKeyConstraintName: 'jobs_pkey' })
  id: string;

  @Column({ type: 'text' })
  kind: string;

  @Column({ type: 'text', default: 'WAITING' })
  state: 'WAITING' | 'RUNNING' | 'GIVEN_UP';

  /** JSON, sealed; leaves with the giving up. */
  @Column({ type: 'bytea', nullable: true })
  payload: Buffer | null;

  /** WAITING: when it may be claimed. RUNNING: when the lease ends, and anybody may claim it. */
  @Column({ name: 'due_at', type: 'timestamptz', nullable: true })
  dueAt: Date | null;

  /** Of no use after this. */
  @Column({ name: 'expires_at', type: 'timestamptz', nullable: true })
  expiresAt: Date | null;

  /** That failed. */
  @Column({ type: 'integer', default: 0 })
  attempts: number;

  /** Attempts whose worker did not come back. */
  @Column({ type: 'integer', default: 0 })
  abandoned: number;

  @Column({ name: 'claim_id', type: 'uuid', nullable: true })
  claimId: string | null;

  /** Host and process id. */
  @Column({ name: 'claimed_by', type: 'text', nullable: true })
  claimedBy: string | null;

  /** Of the last failed attempt, without secrets and addresses. */
  @Column({ type: 'text', nullable: true })
  error: string | null;

  @Column({ name: 'created_at', type: 'timestamptz', default: () => 'now()' })
  createdAt: Date;

  @Column({ name: 'given_up_at', type: 'timestamptz', nullable: true })
  givenUpAt: Date | null;
}

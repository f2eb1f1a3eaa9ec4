import { Check, Column, Entity, Index, PrimaryColumn } from 'typeorm';
import type { EventStatus } from '../events/webhook-event.entity.js';

export const REPLAY_JOB_STATUSES = ['QUEUED', 'RUNNING', 'COMPLETED', 'CANCELED', 'FAILED'] as const;
export type ReplayJobStatus = (typeof REPLAY_JOB_STATUSES)[number];

/** Which events a job replays; every field narrows. */
export interface ReplayFilter {
  source?: string;
  status?: EventStatus;
  type?: string;
  /** RFC 3339, inclusive. */
  from?: string;
  /** RFC 3339, exclusive. */
  to?: string;
}

/** Replays many events, a slice at a time, surviving restarts: `last_event_id` says how far it came. */
@Entity('webhook_replay_jobs')
@Index('webhook_replay_jobs_unfinished_idx', ['createdAt'], { where: `"status" IN ('QUEUED', 'RUNNING')` })
@Check('webhook_replay_jobs_status_check', `"status" IN ('QUEUED', 'RUNNING', 'COMPLETED', 'CANCELED', 'FAILED')`)
export class ReplayJob {
  @PrimaryColumn({ type: 'uuid', primaryKeyConstraintName: 'webhook_replay_jobs_pkey' })
  id: string;

  @Column({ type: 'jsonb' })
  filter: ReplayFilter;

  /** Count only. */
  @Column({ name: 'dry_run', type: 'boolean' })
  dryRun: boolean;

  @Column({ name: 'rate_per_second', type: 'integer' })
  ratePerSecond: number;

  @Column({ type: 'text' })
  status: ReplayJobStatus;

  /** Events that matched when the job was made. */
  @Column({ type: 'integer' })
  total: number;

  @Column({ type: 'integer', default: 0 })
  replayed: number;

  /** Looked at, replayed or not (an event may have left the filter meanwhile). */
  @Column({ type: 'integer', default: 0 })
  examined: number;

  /** Only events received before the job was made are replayed, so that it ends. */
  @Column({ name: 'last_event_id', type: 'uuid', nullable: true })
  lastEventId: string | null;

  @Column({ type: 'text', nullable: true })
  error: string | null;

  @Column({ name: 'created_by', type: 'text' })
  createdBy: string;

  @Column({ name: 'created_at', type: 'timestamptz', default: () => 'now()' })
  createdAt: Date;

  @Column({ name: 'updated_at', type: 'timestamptz', default: () => 'now()' })
  updatedAt: Date;

  @Column({ name: 'finished_at', type: 'timestamptz', nullable: true })
  finishedAt: Date | null;
}

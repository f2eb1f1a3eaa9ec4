import { Check, Column, Entity, Index, PrimaryColumn } from 'typeorm';
import type { EventFilterDto } from '../events/event-filter.dto.js';

export type ReplayJobStatus = 'QUEUED' | 'RUNNING' | 'COMPLETED' | 'CANCELED';

/** Replays many events, a slice at a time, surviving restarts: `last_event_id` says how far it came. */
@Entity('webhook_replay_jobs')
@Index('webhook_replay_jobs_unfinished_idx', ['createdAt'], { where: `"status" IN ('QUEUED', 'RUNNING')` })
@Check('webhook_replay_jobs_status_check', `"status" IN ('QUEUED', 'RUNNING', 'COMPLETED', 'CANCELED')`)
export class ReplayJob {
  @PrimaryColumn({ type: 'uuid', primaryKeyConstraintName: 'webhook_replay_jobs_pkey' })
  id: string;

  @Column({ type: 'jsonb' })
  filter: EventFilterDto;

  /** Count only. */
  @Column({ name: 'dry_run', type: 'boolean' })
  dryRun: boolean;

  @Column({ name: 'rate_per_second', type: 'integer' })
  ratePerSecond: number;

  @Column({ type: 'text' })
  status: ReplayJobStatus;

  /** Events that matched when the job was made; those received later are not replayed, so that it ends. */
  @Column({ type: 'integer' })
  total: number;

  @Column({ type: 'integer', default: 0 })
  replayed: number;

  /** Looked at, replayed or not (an event may have left the filter meanwhile). */
  @Column({ type: 'integer', default: 0 })
  examined: number;

  /** How far it has come. */
  @Column({ name: 'last_event_id', type: 'uuid', nullable: true })
  lastEventId: string | null;

  @Column({ name: 'created_by', type: 'text' })
  createdBy: string;

  @Column({ name: 'created_at', type: 'timestamptz', default: () => 'now()' })
  createdAt: Date;

  @Column({ name: 'updated_at', type: 'timestamptz', default: () => 'now()' })
  updatedAt: Date;

  @Column({ name: 'finished_at', type: 'timestamptz', nullable: true })
  finishedAt: Date | null;
}

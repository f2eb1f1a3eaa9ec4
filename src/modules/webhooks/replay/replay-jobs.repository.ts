import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { type EntityManager, In, LessThan, Repository } from 'typeorm';
import { lockedRows } from '../../../platform/work-queue/index.js';
import type { EventFilterDto } from '../events/event-filter.dto.js';
import { EVENT_FILTER, filterParameters } from '../events/events.repository.js';
import { ReplayJob } from './replay-job.entity.js';

const COUNT = `SELECT count(*)::integer AS total FROM webhook_events WHERE ${EVENT_FILTER} AND status <> 'PROCESSING'`;

/**
 * One job to work on: several workers share the jobs, one a job. A slice is one transaction, so that its lock is all the claim it
 * needs. A job is due when a slice of its rate has passed since the last one (`updated_at`).
 */
const TAKE_DUE = lockedRows(
  'id',
  'webhook_replay_jobs',
  `status = 'QUEUED' OR (status = 'RUNNING' AND updated_at <= now() - $1 * interval '1 millisecond')`,
  'updated_at',
  '1',
);

/**
 * The next events in order of arrival, up to the moment the job was made: what it replays itself comes later. Locked, so
 * that they are still what the filter says when they become due.
 */
const NEXT_EVENTS = `
  SELECT id
  FROM webhook_events
  WHERE ${EVENT_FILTER} AND status <> 'PROCESSING'
    AND created_at <= (SELECT created_at FROM webhook_replay_jobs WHERE id = $6) AND ($7::uuid IS NULL OR id > $7)
  ORDER BY id
  LIMIT $8
  FOR UPDATE SKIP LOCKED`;

const ADVANCE = `
  UPDATE webhook_replay_jobs
  SET
    status = $2, examined = examined + $3, replayed = replayed + $4, last_event_id = coalesce($5, last_event_id),
    updated_at = now(), finished_at = CASE WHEN $2 = 'COMPLETED' THEN now() END
  WHERE id = $1`;

export type NewReplayJob = Pick<ReplayJob, 'id' | 'filter' | 'dryRun' | 'ratePerSecond' | 'total' | 'createdBy'>;

/** Bulk replays and their progress. */
@Injectable()
export class ReplayJobsRepository {
  constructor(@InjectRepository(ReplayJob) private readonly jobs: Repository<ReplayJob>) {}

  async count(tx: EntityManager, filter: EventFilterDto): Promise<number> {
    const [row] = await tx.query<{ total: number }[]>(COUNT, filterParameters(filter));
    return row?.total ?? 0;
  }

  async insert(tx: EntityManager, job: NewReplayJob): Promise<void> {
    await tx.withRepository(this.jobs).insert({
      ...job,
      status: job.dryRun ? 'COMPLETED' : 'QUEUED',
      ...(job.dryRun && { finishedAt: () => 'now()' }),
    });
  }

  find(id: string, by: EntityManager = this.jobs.manager): Promise<ReplayJob | null> {
    return by.findOneBy(ReplayJob, { id });
  }

  list(before: string | null, limit: number): Promise<ReplayJob[]> {
    return this.jobs.find({
      where: before === null ? {} : { id: LessThan(before) },
      order: { id: 'DESC' },
      take: limit,
    });
  }

  /** @returns false when it had ended already */
  async cancel(tx: EntityManager, id: string): Promise<boolean> {
    const result = await tx
      .withRepository(this.jobs)
      .update(
        { id, status: In(['QUEUED', 'RUNNING']) },
        { status: 'CANCELED', finishedAt: () => 'now()', updatedAt: () => 'now()' },
      );
    return (result.affected ?? 0) > 0;
  }

  async takeDue(tx: EntityManager, sliceMs: number): Promise<ReplayJob | null> {
    const [row] = await tx.query<{ id: string }[]>(TAKE_DUE, [sliceMs]);
    return row ? tx.withRepository(this.jobs).findOneBy({ id: row.id }) : null;
  }

  async nextEvents(tx: EntityManager, job: ReplayJob, limit: number): Promise<string[]> {
    const rows = await tx.query<{ id: string }[]>(NEXT_EVENTS, [
      ...filterParameters(job.filter),
      job.id,
      job.lastEventId,
      limit,
    ]);
    return rows.map(({ id }) => id);
  }

  async advance(
    tx: EntityManager,
    job: ReplayJob,
    step: { examined: number; replayed: number; last: string | null; done: boolean },
  ) {
    const { examined, replayed, last, done } = step;
    await tx.query(ADVANCE, [job.id, done ? 'COMPLETED' : 'RUNNING', examined, replayed, last]);
  }
}

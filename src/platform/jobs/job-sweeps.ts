import { Inject, Injectable, Logger, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { type RepeatingTask, RepeatingTasks } from '../schedule/index.js';
import { Transactor } from '../transaction/index.js';
import { JobMetrics } from './job-metrics.js';
import { JOB_TIMINGS, type JobTimings } from './job-timings.js';

const BATCH = 500;
const RETENTION_DAYS = 30;

const EXPIRED = 'It was not done before it expired';

/**
 * Jobs past their expiry that nobody works on; the last error of theirs says why it came to that. What is locked is at
 * work. Index: jobs_expires_at_idx.
 */
const GIVE_UP_EXPIRED = `
  WITH expired AS MATERIALIZED (
    SELECT id
    FROM jobs
    WHERE expires_at <= now() AND due_at IS NOT NULL AND (state = 'WAITING' OR due_at <= now())
    ORDER BY expires_at
    LIMIT $1
    FOR UPDATE SKIP LOCKED
  ),
  given_up AS (
    UPDATE jobs
    SET
      state = 'FAILED', payload = NULL, due_at = NULL, claim_id = NULL, claimed_by = NULL,
      given_up_at = clock_timestamp(), error = concat_ws('. ', $2::text, error)
    WHERE id IN (SELECT id FROM expired)
    RETURNING id, kind, attempts, abandoned, error
  )
  SELECT * FROM given_up`;

interface ExpiredJob {
  id: string;
  kind: string;
  attempts: number;
  abandoned: number;
  error: string;
}

/** Index: jobs_given_up_at_idx. */
const REMOVE_OLD = `
  WITH removed AS (
    DELETE FROM jobs
    WHERE id = ANY (ARRAY (
      SELECT id
      FROM jobs
      WHERE given_up_at < now() - $1 * interval '1 day'
      ORDER BY given_up_at
      LIMIT $2
      FOR UPDATE SKIP LOCKED
    ))
    RETURNING id
  )
  SELECT id FROM removed`;

/** Gives up what has expired, of whatever kind, and removes what was given up long ago. */
@Injectable()
export class JobSweeps implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly logger = new Logger(JobSweeps.name);
  private task: RepeatingTask | undefined;
  private stopping = false;

  constructor(
    private readonly transactor: Transactor,
    private readonly tasks: RepeatingTasks,
    private readonly metrics: JobMetrics,
    @Inject(JOB_TIMINGS) private readonly timings: JobTimings,
  ) {}

  onApplicationBootstrap(): void {
    const sweep = async () => {
      while ((await this.giveUpExpired()) === BATCH && !this.stopping);
      while ((await this.removeOld()) === BATCH && !this.stopping);
    };
    this.task = this.tasks.every(this.timings.sweep, 'expired jobs', sweep, { role: 'background' });
  }

  async onModuleDestroy(): Promise<void> {
    this.stopping = true;
    await this.task?.stop();
  }

  /** @returns how many, `BATCH` at most; so does `removeOld` */
  private async giveUpExpired(): Promise<number> {
    const expired = await this.transactor.statement<ExpiredJob>(GIVE_UP_EXPIRED, [BATCH, EXPIRED]);
    for (const job of expired) {
      this.metrics.finished(job.kind, 'expired');
      this.logger.error({ msg: 'A job was given up', ...job });
    }
    return expired.length;
  }

  private async removeOld(): Promise<number> {
    return (await this.transactor.statement(REMOVE_OLD, [RETENTION_DAYS, BATCH])).length;
  }
}

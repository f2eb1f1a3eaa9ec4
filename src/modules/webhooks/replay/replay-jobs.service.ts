import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { NotFoundError } from '../../../kernel/app-error.js';
import { decodeCursor, pageOf } from '../../../kernel/cursor.js';
import { isUuid, newId } from '../../../kernel/ids.js';
import type { RequestContext } from '../../../platform/auth/index.js';
import type { PageQueryDto } from '../../../platform/http/index.js';
import { IdempotentTransactor, type RequestClaim } from '../../../platform/idempotency/index.js';
import { READ_COMMITTED } from '../../../platform/transaction/index.js';
import { AuditLog } from '../../audit/index.js';
import type { CreateReplayJobDto, ReplayJobDto, ReplayJobListDto } from './replay-job.dto.js';
import type { ReplayJob } from './replay-job.entity.js';
import { ReplayJobsRepository } from './replay-jobs.repository.js';

const DEFAULT_RATE_PER_SECOND = 50;

/** Bulk replays: made, watched and cancelled here; carried out by `ReplayRunner`. */
@Injectable()
export class ReplayJobsService {
  constructor(
    private readonly repository: ReplayJobsRepository,
    private readonly transactor: IdempotentTransactor,
    private readonly audit: AuditLog,
  ) {}

  /** A dry run is complete at once: it only counts. */
  async create(input: CreateReplayJobDto, context: RequestContext, claim?: RequestClaim): Promise<ReplayJobDto> {
    const id = newId();
    const dryRun = input.dryRun ?? false;
    const ratePerSecond = input.ratePerSecond ?? DEFAULT_RATE_PER_SECOND;
    const filter = { ...input.filter };
    return this.transactor.run(
      claim,
      async (tx) => {
        const total = await this.repository.count(tx, filter);
        await this.repository.insert(tx, {
          id,
          filter,
          dryRun,
          ratePerSecond,
          total,
          createdBy: context.actor,
        });
        const details = { filter, dryRun, ratePerSecond, total };
        await this.audit.record(tx, [
          { ...context, action: 'replay_job.created', subject: `replay-job:${id}`, details },
        ]);
        return this.get(id, tx);
      },
      READ_COMMITTED,
    );
  }

  /** @throws NotFoundError */
  async get(id: string, tx?: EntityManager): Promise<ReplayJobDto> {
    const job = isUuid(id) ? await this.repository.find(id, tx) : null;
    if (!job) throw new NotFoundError('There is no such replay job.');
    return present(job);
  }

  async list({ limit, cursor }: PageQueryDto): Promise<ReplayJobListDto> {
    const before = cursor === undefined ? null : decodeCursor(cursor, { id: 'uuid' }).id;
    const jobs = await this.repository.list(before, limit + 1);
    return pageOf(jobs, limit, ({ id }) => ({ id }), present);
  }

  /** Events replayed so far stay replayed. A job that has ended stays as it is. @throws NotFoundError */
  cancel(id: string, context: RequestContext, claim?: RequestClaim): Promise<ReplayJobDto> {
    return this.transactor.run(
      claim,
      async (tx) => {
        await this.get(id, tx);
        if (await this.repository.cancel(tx, id)) {
          await this.audit.record(tx, [{ ...context, action: 'replay_job.canceled', subject: `replay-job:${id}` }]);
        }
        return this.get(id, tx);
      },
      READ_COMMITTED,
    );
  }
}

function present(job: ReplayJob): ReplayJobDto {
  const { updatedAt: _, lastEventId: _last, ...shown } = job;
  return shown;
}

import { Inject, Injectable, Logger } from '@nestjs/common';
import { backoffDelay } from '../../kernel/backoff.js';
import { isJsonObject, parseExactJson } from '../../kernel/exact-json.js';
import { isDatabaseUnavailable } from '../database/index.js';
import { SecretUnreadableError } from '../encryption/index.js';
import { CommitOutcomeUnknownError } from '../transaction/index.js';
import { ClaimLostError, HandedBackError, settledWithin } from '../work-queue/index.js';
import { describeFailure, stackOf } from './failed-attempt.js';
import { JobGivenUpError, JobTimeoutError } from './job.errors.js';
import type { Job } from './job.js';
import type { JobHandler } from './job-handlers.js';
import { JobMetrics, type JobOutcome } from './job-metrics.js';
import { JOB_TIMINGS, type JobTimings } from './job-timings.js';
import { JobsInFlight } from './jobs-in-flight.js';
import { type ClaimedJob, JobsRepository } from './jobs.repository.js';

/** A job that takes its worker with it this often is given up: it would go round for ever. */
const MAX_ABANDONED = 10;

/** Runs one claimed job to its end, whatever that is. */
@Injectable()
export class JobRunner {
  private readonly logger = new Logger(JobRunner.name);

  constructor(
    private readonly repository: JobsRepository,
    private readonly inFlight: JobsInFlight,
    private readonly metrics: JobMetrics,
    @Inject(JOB_TIMINGS) private readonly timings: JobTimings,
  ) {}

  /** Never throws: what goes wrong with the job is recorded with it. */
  async run(claimed: ClaimedJob, handler: JobHandler): Promise<JobOutcome> {
    if (claimed.takenOver) this.reportAbandoned(claimed);
    const controller = this.inFlight.hold([claimed]);
    let outcome: JobOutcome;
    try {
      outcome = await this.attempt(claimed, handler, controller);
    } catch (error) {
      outcome = await this.recordFailure(claimed, handler, error);
    } finally {
      this.inFlight.drop([claimed]);
    }
    this.metrics.finished(claimed.kind, outcome);
    return outcome;
  }

  private async attempt(claimed: ClaimedJob, handler: JobHandler, controller: AbortController): Promise<JobOutcome> {
    if (claimed.abandoned >= MAX_ABANDONED) {
      throw new JobGivenUpError(`Its worker did not come back ${claimed.abandoned} times: it was killed, or hangs`);
    }
    const { id, kind, createdAt, attempts, abandoned } = claimed;
    const payload = parseExactJson(this.repository.payloadOf(claimed));
    if (!isJsonObject(payload)) throw new JobGivenUpError('Its payload is no object');
    const job: Job = { id, kind, payload, attempt: attempts + abandoned + 1, createdAt, signal: controller.signal };
    const { timeoutMs } = handler.options;
    const onTimeout = () => new JobTimeoutError(timeoutMs);
    const withinTime = (work: () => Promise<void>) => settledWithin(timeoutMs, controller, onTimeout, work);
    if (handler.inTransaction) {
      await this.repository.finishInTransaction(claimed, timeoutMs, (tx) => withinTime(() => handler.work(tx, job)));
      return 'done';
    }
    await withinTime(() => handler.work(job));
    // What it did cannot be undone, and would be done again if the database were not told.
    if (!(await this.inFlight.untilTold(() => this.repository.finish(claimed)))) throw new ClaimLostError('job');
    return 'done';
  }

  private async recordFailure(claimed: ClaimedJob, handler: JobHandler, error: unknown): Promise<JobOutcome> {
    try {
      const verdict = this.verdictOn(claimed, handler, error);
      const outcome = (await verdict.record()) ? verdict.outcome : 'lost';
      this.report(claimed, outcome, error);
      return outcome;
    } catch (recordingError) {
      return this.postpone(claimed, error, recordingError);
    }
  }

  private verdictOn(claimed: ClaimedJob, handler: JobHandler, error: unknown): Verdict {
    const { repository, timings } = this;
    const description = describeFailure(error);
    if (error instanceof ClaimLostError) return { outcome: 'lost', record: async () => false };
    if (error instanceof HandedBackError) {
      return { outcome: 'handed_back', record: () => repository.putBack(claimed, 0, null) };
    }
    if (error instanceof SecretUnreadableError) {
      const record = () => repository.putBack(claimed, timings.afterUnreadable, description);
      return { outcome: 'unreadable', record };
    }
    if (handler.inTransaction && isOfTheDatabase(error)) {
      return { outcome: 'postponed', record: () => repository.putBack(claimed, timings.afterOutage, description) };
    }
    const { maxAttempts, backoff } = handler.options;
    if (error instanceof JobGivenUpError || claimed.attempts + 1 >= maxAttempts) {
      return { outcome: 'given_up', record: () => repository.giveUp(claimed, description) };
    }
    const delayMs = backoffDelay(claimed.attempts, backoff);
    return { outcome: 'retried', record: () => repository.retry(claimed, delayMs, description) };
  }

  /** An attempt that failed while the database was away proves nothing about the job. */
  private async postpone(claimed: ClaimedJob, error: unknown, recordingError: unknown): Promise<JobOutcome> {
    try {
      if (!isDatabaseUnavailable(recordingError)) throw recordingError;
      const putBack = () => this.repository.putBack(claimed, this.timings.afterOutage, describeFailure(error));
      const outcome = (await this.inFlight.untilTold(putBack)) ? 'postponed' : 'lost';
      this.report(claimed, outcome, error);
      return outcome;
    } catch (lastError) {
      this.logger.warn({ msg: 'A job stays claimed until its lease ends', ...nameOf(claimed), err: lastError });
      return 'lost';
    }
  }

  private report(claimed: ClaimedJob, outcome: JobOutcome, error: unknown): void {
    const line = { ...nameOf(claimed), error: describeFailure(error) };
    if (outcome === 'handed_back') this.logger.log({ msg: 'A job was handed back', ...line });
    else if (outcome === 'given_up') this.logger.error({ msg: 'A job was given up', ...line, stack: stackOf(error) });
    else if (outcome === 'unreadable') {
      this.logger.error({ msg: 'The payload of a job cannot be read; it is kept and tried again', ...line });
    } else this.logger.warn({ msg: `A job was not done: ${outcome}`, ...line, stack: stackOf(error) });
  }

  private reportAbandoned(claimed: ClaimedJob): void {
    this.metrics.finished(claimed.kind, 'abandoned');
    this.logger.warn({ msg: 'A job was abandoned by its worker', ...nameOf(claimed), abandoned: claimed.abandoned });
  }
}

interface Verdict {
  outcome: JobOutcome;
  /** @returns false when the claim was lost */
  record: () => Promise<boolean>;
}

function isOfTheDatabase(error: unknown): boolean {
  return isDatabaseUnavailable(error) || error instanceof CommitOutcomeUnknownError;
}

/** Never the payload. */
function nameOf({ id, kind, attempts, abandoned }: ClaimedJob): { id: string; kind: string; attempt: number } {
  return { id, kind, attempt: attempts + abandoned + 1 };
}

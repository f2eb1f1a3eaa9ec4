import { Injectable, Logger, type OnModuleInit } from '@nestjs/common';
import { newId } from '../../../kernel/ids.js';
import { type Job, JobGivenUpError, Jobs } from '../../../platform/jobs/index.js';
import { READ_COMMITTED, Transactor } from '../../../platform/transaction/index.js';
import { AuditLog } from '../../audit/index.js';
import { NotExecutedError, TurnedAwayError } from '../providers/payment-provider.js';
import { LedgerSide } from './ledger-side.js';
import { MovementCollector } from './movement-collector.js';
import { MovementComparer } from './movement-comparer.js';
import { MovementHealer } from './movement-healer.js';
import { MovementsRepository } from './movements.repository.js';
import { ReconciliationAttempt, ReconciliationTakenOverError } from './reconciliation-attempt.js';
import { ReconciliationConclusion } from './reconciliation-conclusion.js';
import { RECONCILIATION_STEPS, type ReconciliationStep } from './reconciliation.js';
import { ReconciliationsRepository } from './reconciliations.repository.js';

/** Of the job that carries out a run; its payload is `{ reconciliation }`. */
export const RECONCILE = 'payments.reconcile';

/** Failed attempts and those whose process did not come back: ten of the latter, and the job would be given up unheard. */
const MOST_ATTEMPTS = 8;
/** A month of a large account, and a provider that answers slowly. */
const TIMEOUT_MS = 6 * 3_600_000;
const REMOVED_AT_ONCE = 5000;
const LONGEST_ERROR = 500;

/**
 * Carries out reconciliations: one process each, which can be killed at any moment. What a step has done is in the database, and the
 * next attempt goes on from there; done twice, it changes nothing.
 */
@Injectable()
export class ReconciliationRunner implements OnModuleInit {
  private readonly logger = new Logger(ReconciliationRunner.name);
  private readonly steps: Readonly<Record<ReconciliationStep, (attempt: ReconciliationAttempt) => Promise<void>>>;

  constructor(
    private readonly jobs: Jobs,
    private readonly transactor: Transactor,
    private readonly runs: ReconciliationsRepository,
    private readonly movements: MovementsRepository,
    private readonly audit: AuditLog,
    collector: MovementCollector,
    comparer: MovementComparer,
    healer: MovementHealer,
    ledger: LedgerSide,
    conclusion: ReconciliationConclusion,
  ) {
    this.steps = {
      collecting: (attempt) => collector.collect(attempt),
      comparing: (attempt) => comparer.compareAll(attempt),
      healing: (attempt) => healer.healAll(attempt),
      ledger: (attempt) => ledger.compareAll(attempt),
      concluding: (attempt) => conclusion.conclude(attempt),
    };
  }

  onModuleInit(): void {
    const options = { timeoutMs: TIMEOUT_MS, concurrency: 1, maxAttempts: MOST_ATTEMPTS + 1 };
    this.jobs.handle(RECONCILE, (job) => this.work(job), options);
  }

  private async work({ payload, attempt, signal }: Job): Promise<void> {
    const { reconciliation: id } = payload;
    if (typeof id !== 'string') throw new JobGivenUpError('It names no reconciliation');
    const worker = newId();
    if (await this.runs.begin(id, worker)) {
      try {
        if (attempt > MOST_ATTEMPTS)
          throw new Error(`Its processes did not come back: it was begun ${attempt - 1} times`);
        await this.carryOut(id, worker, signal);
      } catch (error) {
        // Whoever aborts it knows what becomes of the job.
        signal.throwIfAborted();
        if (error instanceof ReconciliationTakenOverError) return;
        const isFinal = attempt >= MOST_ATTEMPTS || isRefusal(error);
        await this.record(id, error, isFinal);
        if (!isFinal) throw error;
      }
    }
    await this.tidy(id, signal);
  }

  private async carryOut(id: string, worker: string, signal: AbortSignal): Promise<void> {
    const run = await this.runs.find(id);
    if (run === null) return;
    const attempt = new ReconciliationAttempt(run, signal, worker, this.transactor, this.runs);
    for (const step of RECONCILIATION_STEPS.slice(RECONCILIATION_STEPS.indexOf(run.step))) {
      await attempt.save((tx) => this.runs.advance(tx, id, { step }));
      await this.steps[step](attempt);
    }
  }

  private async record(id: string, error: unknown, isFinal: boolean): Promise<void> {
    this.logger.error({ msg: 'A reconciliation could not be carried out', reconciliation: id, isFinal, err: error });
    const message = (error instanceof Error ? error.message : String(error)).slice(0, LONGEST_ERROR);
    await this.transactor.run(async (tx) => {
      await this.runs.failed(tx, id, message, isFinal);
      if (!isFinal) return;
      const subject = `reconciliation:${id}`;
      await this.audit.record(tx, [
        { actor: 'system:reconciliation', action: 'reconciliation.failed', subject, details: { error: message } },
      ]);
    }, READ_COMMITTED);
  }

  /** What a run that is over has worked on. */
  private async tidy(id: string, signal: AbortSignal): Promise<void> {
    while ((await this.movements.remove(id, REMOVED_AT_ONCE)) === REMOVED_AT_ONCE) signal.throwIfAborted();
  }
}

/** The provider would say the same again. */
function isRefusal(error: unknown): boolean {
  return error instanceof NotExecutedError && !(error instanceof TurnedAwayError);
}

import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { ValidationError } from '../../../kernel/app-error.js';
import { decodeCursor, pageOf } from '../../../kernel/cursor.js';
import { isUuid, newId } from '../../../kernel/ids.js';
import type { RequestContext } from '../../../platform/auth/index.js';
import { IdempotentTransactor, type RequestClaim } from '../../../platform/idempotency/index.js';
import { Jobs } from '../../../platform/jobs/index.js';
import { READ_COMMITTED } from '../../../platform/transaction/index.js';
import { AuditLog } from '../../audit/index.js';
import type { PaymentProvider } from '../providers/payment-provider.js';
import { ProviderDirectory } from '../providers/provider-directory.js';
import { DifferencesRepository } from './differences.repository.js';
import type {
  NewReconciliationDto,
  ReconciliationDetailDto,
  ReconciliationDetailQueryDto,
  ReconciliationDto,
  ReconciliationPageDto,
  ReconciliationQueryDto,
} from './reconciliation.dto.js';
import { ReconciliationRunningError, unknownReconciliation } from './reconciliation.errors.js';
import { RECONCILE } from './reconciliation-runner.js';
import { differenceView, reconciliationView } from './reconciliation-view.js';
import { ReconciliationsRepository } from './reconciliations.repository.js';

const USUAL_WINDOW_MS = 48 * 3_600_000;
const LONGEST_WINDOW_MS = 31 * 86_400_000;

/** A run that is wanted. */
interface Wanted {
  readonly provider: PaymentProvider;
  readonly from: Date;
  readonly to: Date;
  readonly occasion?: string;
}

/** Reconciliations: asked for and read here, carried out by `ReconciliationRunner`. */
@Injectable()
export class ReconciliationsService {
  constructor(
    private readonly transactor: IdempotentTransactor,
    private readonly directory: ProviderDirectory,
    private readonly runs: ReconciliationsRepository,
    private readonly differences: DifferencesRepository,
    private readonly jobs: Jobs,
    private readonly audit: AuditLog,
  ) {}

  /**
   * @returns the run, which a worker begins in a moment
   * @throws ValidationError (400) for a provider that is not configured, and for a window that cannot be
   * @throws ReconciliationRunningError (409)
   */
  create(input: NewReconciliationDto, context: RequestContext, claim?: RequestClaim): Promise<ReconciliationDto> {
    const provider = this.directory.choose(input.provider);
    return this.transactor.run(
      claim,
      async (tx) => {
        const now = await this.runs.now(tx);
        const to = input.to === undefined ? now : new Date(input.to);
        const from = input.from === undefined ? new Date(to.getTime() - USUAL_WINDOW_MS) : new Date(input.from);
        const window = { from: wholeSeconds(from), to: wholeSeconds(to) };
        checkWindow(window, now);
        const other = await this.runs.unfinished(tx, provider.name, window.from, window.to);
        if (other !== undefined) throw new ReconciliationRunningError(provider.name, other);
        const id = await this.insert(tx, { provider, ...window }, context);
        return this.viewOf(id, tx);
      },
      READ_COMMITTED,
    );
  }

  /** The last two days, once for the occasion. @returns false while another run has a part of them */
  async createFor(tx: EntityManager, provider: PaymentProvider, occasion: string): Promise<boolean> {
    const to = wholeSeconds(await this.runs.now(tx));
    const from = new Date(to.getTime() - USUAL_WINDOW_MS);
    if ((await this.runs.unfinished(tx, provider.name, from, to)) !== undefined) return false;
    // Behind the lock: whoever came first has committed.
    if (await this.runs.existsFor(tx, provider.name, occasion)) return true;
    await this.insert(tx, { provider, from, to, occasion }, { actor: 'system:reconciliation' });
    return true;
  }

  async list({ limit, cursor, provider }: ReconciliationQueryDto): Promise<ReconciliationPageDto> {
    const before = cursor === undefined ? undefined : decodeCursor(cursor, { id: 'uuid' }).id;
    const rows = await this.runs.list(provider, before, limit + 1);
    const open = await this.differences.openOf(rows.map(({ id }) => id));
    return pageOf(
      rows,
      limit,
      ({ id }) => ({ id }),
      (run) => reconciliationView(run, open.get(run.id) ?? 0),
    );
  }

  /** With a page of its differences. @throws NotFoundError */
  async find(id: string, { limit, cursor, state }: ReconciliationDetailQueryDto): Promise<ReconciliationDetailDto> {
    const view = await this.viewOf(id);
    const after = cursor === undefined ? undefined : decodeCursor(cursor, { difference: 'uuid' }).difference;
    const rows = await this.differences.list(view.id, state, after, limit + 1);
    const page = pageOf(rows, limit, (row) => ({ difference: row.id }), differenceView);
    return { ...view, differences: page.data, nextCursor: page.nextCursor };
  }

  private async viewOf(id: string, tx?: EntityManager): Promise<ReconciliationDto> {
    const run = isUuid(id) ? await this.runs.find(id, tx) : null;
    if (run === null) throw unknownReconciliation();
    const open = await this.differences.openOf([run.id], tx);
    return reconciliationView(run, open.get(run.id) ?? 0);
  }

  private async insert(tx: EntityManager, wanted: Wanted, by: RequestContext): Promise<string> {
    const { provider, from, to, occasion } = wanted;
    const id = newId();
    await this.runs.insert(tx, {
      id,
      provider: provider.name,
      mode: provider.mode,
      windowFrom: from,
      windowTo: to,
      createdBy: by.actor,
      ...(occasion !== undefined && { occasion }),
    });
    await this.jobs.enqueue(tx, [{ kind: RECONCILE, payload: { reconciliation: id } }]);
    const details = { provider: provider.name, from: from.toISOString(), to: to.toISOString() };
    await this.audit.record(tx, [
      { ...by, action: 'reconciliation.created', subject: `reconciliation:${id}`, details },
    ]);
    return id;
  }
}

/** Providers count seconds. */
function wholeSeconds(time: Date): Date {
  return new Date(Math.floor(time.getTime() / 1000) * 1000);
}

/** @throws ValidationError */
function checkWindow({ from, to }: { readonly from: Date; readonly to: Date }, now: Date): void {
  const length = to.getTime() - from.getTime();
  const problem =
    to > now
      ? { path: 'to', message: `to must not be in the future; by the database's clock it is ${now.toISOString()}` }
      : length <= 0
        ? { path: 'from', message: 'from must be at least a second before to' }
        : length > LONGEST_WINDOW_MS
          ? { path: 'from', message: 'from must be at most 31 days before to' }
          : undefined;
  if (problem !== undefined) throw ValidationError.of([problem]);
}

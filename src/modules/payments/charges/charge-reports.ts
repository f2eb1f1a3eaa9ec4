import { Injectable, Logger } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { allEnded } from '../../../platform/transaction/index.js';
import { AuditLog } from '../../audit/index.js';
import { changeBy, type ChargeSoFar, type Settlement } from './charge-state.js';
import { OperationsRepository } from '../providers/operations.repository.js';
import { amountOf, PaymentBooks } from '../payment-books.js';
import type { OperationKind } from '../providers/provider-operation.entity.js';
import { isHeld, type Payment } from '../payment.entity.js';
import type { ChangeCause, ChargeReport, ChargeStatus, PaymentFailure, PaymentId } from '../payment.js';
import { PaymentMetrics } from '../payment-metrics.js';
import { PaymentsRepository } from '../payments.repository.js';
import { ChargeChangesRepository, type ChargeColumns } from './charge-changes.repository.js';

/** The calls that a charge in a status proves, besides its creation. */
const PROVEN: Partial<Record<ChargeReport['status'], readonly OperationKind[]>> = {
  succeeded: ['create', 'capture'],
  canceled: ['create', 'cancel'],
};

const OVER: readonly Payment['status'][] = ['failed', 'canceled'];

/** What somebody heard of the charge of a payment. */
export interface ChargeNews {
  readonly payment: PaymentId;
  readonly report: ChargeReport;
  readonly cause: ChangeCause;
}

/** News of a charge whose payment is locked. */
type HeardNews = Omit<ChargeNews, 'payment'> & { readonly payment: Payment };

/** The same, and what it changes. */
interface DecidedNews extends HeardNews {
  readonly status: ChargeStatus | undefined;
  readonly settled: Settlement | undefined;
}

/**
 * The one way for a charge to change: whoever heard of it from the provider, by an answer, an event or a question, brings the
 * report here.
 */
@Injectable()
export class ChargeReports {
  private readonly logger = new Logger(ChargeReports.name);

  constructor(
    private readonly payments: PaymentsRepository,
    private readonly changes: ChargeChangesRepository,
    private readonly operations: OperationsRepository,
    private readonly books: PaymentBooks,
    private readonly audit: AuditLog,
    private readonly metrics: PaymentMetrics,
  ) {}

  /** @param tx begins with `LEDGER_LOCK`, unless the report cannot be one of success */
  async apply(tx: EntityManager, payment: PaymentId, report: ChargeReport, cause: ChangeCause): Promise<void> {
    await this.applyAll(tx, [{ payment, report, cause }]);
  }

  /**
   * Applies news of many charges with as many statements as for one; news of one payment in its order.
   *
   * @param tx begins with `LEDGER_LOCK`, unless no report can be one of success
   * @throws what the first of them throws: then none is applied, and whoever brought them tries them one by one
   */
  async applyAll(tx: EntityManager, news: readonly ChargeNews[]): Promise<void> {
    let left = news;
    while (left.length > 0) {
      const firsts = new Map<PaymentId, ChargeNews>();
      for (const each of left) if (!firsts.has(each.payment)) firsts.set(each.payment, each);
      await this.applyEach(tx, [...firsts.values()]);
      left = left.filter((each) => firsts.get(each.payment) !== each);
    }
  }

  /** None of them is of the same payment as another. */
  private async applyEach(tx: EntityManager, news: readonly ChargeNews[]): Promise<void> {
    const locked = await this.payments.lockAll(
      tx,
      news.map(({ payment }) => payment),
    );
    const heard = news.flatMap((each): HeardNews[] => {
      const payment = locked.get(each.payment);
      return payment && this.isOf(payment, each.report) ? [{ ...each, payment }] : [];
    });
    const stale = heard.filter(({ report, payment, cause }) => isOldNews(report, payment, cause));
    const fresh = heard.filter((each) => !stale.includes(each));
    await this.payments.look(tx, idsOf(stale));
    if (fresh.length > 0) await this.write(tx, await this.decide(tx, fresh));
  }

  private async decide(tx: EntityManager, news: readonly HeardNews[]): Promise<DecidedNews[]> {
    const manual = news.filter(({ payment }) => payment.capture === 'manual');
    const parts = await this.operations.askedToCapture(tx, idsOf(manual));
    const decided = news.map((each): DecidedNews => {
      const { payment, report } = each;
      const { status, settlement } = changeBy(report, soFar(payment, parts.get(payment.id)));
      return { ...each, status, settled: settlement };
    });
    const settling = decided.flatMap(({ payment, settled: settlement, cause: { actor } }) =>
      settlement ? [{ payment, settlement, actor }] : [],
    );
    const settlements = await this.books.settle(tx, settling);
    const byPayment = new Map(settling.map(({ payment }, index) => [payment.id, settlements[index]]));
    return decided.map((each) => ({ ...each, settled: byPayment.get(each.payment.id) }));
  }

  private async write(tx: EntityManager, decided: readonly DecidedNews[]): Promise<void> {
    const moved = decided.filter(({ status, settled }) => status !== undefined || settled !== undefined);
    const transitions = moved.map(({ payment: { id, status: from }, status = from, settled, report, cause }) => {
      return { payment: id, from, to: status, reason: settled?.review ?? report.failure?.message ?? null, cause };
    });
    const lines = transitions.map(({ payment, from, to, reason, cause: { actor, source } }) => {
      return { actor, action: `payment.${to}`, subject: `payment:${payment}`, details: { from, to, source, reason } };
    });
    await allEnded([
      this.changes.change(tx, decided.flatMap(columnsAfter)),
      this.operations.prove(
        tx,
        decided.map(({ payment, report }) => ({ payment: payment.id, kinds: PROVEN[report.status] ?? ['create'] })),
      ),
      this.payments.addTransitions(tx, transitions),
      this.audit.record(tx, lines),
    ]);
    for (const { payment, status = payment.status } of moved) this.metrics.changed(payment.provider, status);
    await this.payments.watch(tx, idsOf(moved));
    // They had been given up: what went back of them meanwhile nobody has asked about.
    await this.payments.ring(
      tx,
      idsOf(moved.filter(({ payment, settled }) => settled && OVER.includes(payment.status))),
    );
  }

  private isOf(payment: Payment, { reference }: ChargeReport): boolean {
    if (payment.providerReference === null || payment.providerReference === reference) return true;
    this.logger.warn({ msg: 'A report about another charge was ignored', payment: payment.id, reference });
    return false;
  }

  /** The provider refused to make the charge. */
  async refuse(tx: EntityManager, id: PaymentId, failure: PaymentFailure, cause: ChangeCause): Promise<void> {
    const payment = await this.payments.lock(tx, id);
    if (payment?.status !== 'created') return;
    await this.payments.change(tx, id, { status: 'failed', failure });
    await this.record(tx, payment, 'failed', failure.message, cause);
    await this.payments.watch(tx, id);
  }

  private async record(
    tx: EntityManager,
    { id, status: from, provider }: Payment,
    to: Payment['status'],
    reason: string | null,
    cause: ChangeCause,
  ): Promise<void> {
    const { actor, source } = cause;
    const line = { actor, action: `payment.${to}`, subject: `payment:${id}`, details: { from, to, source, reason } };
    await allEnded([this.payments.addTransition(tx, id, { from, to, reason }, cause), this.audit.record(tx, [line])]);
    this.metrics.changed(provider, to);
  }
}

function idsOf(news: readonly { readonly payment: Payment }[]): PaymentId[] {
  return news.map(({ payment }) => payment.id);
}

/** @param part what a capture asked for, in minor units; undefined where it asked for everything */
function soFar(payment: Payment, part: bigint | undefined): ChargeSoFar {
  const { status, mode, settledAmount, settledCurrency } = payment;
  return {
    status,
    mode,
    heldFor: isHeld(payment) ? (payment.heldFor ?? undefined) : undefined,
    expected: amountOf(part === undefined ? payment : { amount: String(part), currency: payment.currency }),
    settled:
      settledAmount === null || settledCurrency === null
        ? undefined
        : amountOf({ amount: settledAmount, currency: settledCurrency }),
  };
}

/** @returns none where everything stays */
function columnsAfter({ payment, report, status, settled }: DecidedNews): ChargeColumns[] {
  const { authorizationUrl = payment.authorizationUrl, accessCode = payment.accessCode } = report;
  const isKnown =
    payment.providerReference === report.reference &&
    payment.authorizationUrl === authorizationUrl &&
    payment.accessCode === accessCode;
  if (isKnown && status === undefined && settled === undefined) return [];
  const columns = {
    ...payment,
    providerReference: report.reference,
    authorizationUrl,
    accessCode,
    ...(status && { status, failure: report.failure ?? null }),
    ...(settled && {
      settledAmount: String(settled.amount.minor),
      settledCurrency: settled.amount.currency,
      settledTo: settled.to,
    }),
    ...reviewAfter(payment, status, settled),
  };
  return [columns];
}

/** What a rule holds back waits for somebody once it is authorised, and no more once there is nothing to decide. */
function reviewAfter(
  payment: Payment,
  status: ChargeStatus | undefined,
  settled: Settlement | undefined,
): Partial<Pick<ChargeColumns, 'review'>> {
  if (settled) return { review: settled.review ?? null };
  if (payment.heldFor === null || status === undefined) return {};
  if (status === 'requires_capture' && isHeld(payment)) return { review: payment.heldFor };
  return status === 'canceled' || status === 'failed' ? { review: null } : {};
}

/** A decline may be of a try before the one that is under way. Events come late and say no order, so the provider is asked. */
function isOldNews(report: ChargeReport, { status }: Payment, { source }: ChangeCause): boolean {
  return (
    source === 'webhook' && report.status === 'failed' && (status === 'processing' || status === 'requires_capture')
  );
}

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
import { type PaymentChange, PaymentsRepository } from '../payments.repository.js';

/** The calls that a charge in a status proves, besides its creation. */
const PROVEN: Partial<Record<ChargeReport['status'], readonly OperationKind[]>> = {
  succeeded: ['create', 'capture'],
  canceled: ['create', 'cancel'],
};

const OVER: readonly Payment['status'][] = ['failed', 'canceled'];

/**
 * The one way for a charge to change: whoever heard of it from the provider, by an answer, an event or a question, brings the
 * report here.
 */
@Injectable()
export class ChargeReports {
  private readonly logger = new Logger(ChargeReports.name);

  constructor(
    private readonly payments: PaymentsRepository,
    private readonly operations: OperationsRepository,
    private readonly books: PaymentBooks,
    private readonly audit: AuditLog,
    private readonly metrics: PaymentMetrics,
  ) {}

  /**
   * @param tx begins with `LEDGER_LOCK`, unless the report cannot be one of success
   */
  async apply(tx: EntityManager, id: PaymentId, report: ChargeReport, cause: ChangeCause): Promise<void> {
    const payment = await this.payments.lock(tx, id);
    if (payment === null) return;
    if (payment.providerReference !== null && payment.providerReference !== report.reference) {
      this.logger.warn({ msg: 'A report about another charge was ignored', payment: id, reference: report.reference });
      return;
    }
    if (isOldNews(report, payment, cause)) {
      await this.payments.look(tx, id);
      return;
    }
    const { status, settlement } = changeBy(report, await this.soFar(tx, payment));
    const settled = settlement && (await this.books.settle(tx, payment, settlement, cause.actor));
    const change: PaymentChange = {
      providerReference: report.reference,
      ...(report.authorizationUrl !== undefined && { authorizationUrl: report.authorizationUrl }),
      ...(report.accessCode !== undefined && { accessCode: report.accessCode }),
      ...(status && { status, failure: report.failure ?? null }),
      ...(settled && {
        settledAmount: String(settled.amount.minor),
        settledCurrency: settled.amount.currency,
        settledTo: settled.to,
      }),
      ...reviewAfter(payment, status, settled),
    };
    const reason = settled?.review ?? report.failure?.message ?? null;
    await allEnded([
      this.payments.change(tx, id, change),
      this.operations.prove(tx, id, PROVEN[report.status] ?? ['create']),
      (status || settled) && this.record(tx, payment, status ?? payment.status, reason, cause),
    ]);
    if (status || settled) {
      await this.payments.watch(tx, id);
      // It had been given up: what went back of it meanwhile nobody has asked about.
      if (settled && OVER.includes(payment.status)) await this.payments.ring(tx, id);
    }
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

  private async soFar(tx: EntityManager, payment: Payment): Promise<ChargeSoFar> {
    const { status, mode, settledAmount, settledCurrency } = payment;
    const asked = amountOf(payment);
    const part = payment.capture === 'manual' ? await this.operations.askedToCapture(tx, payment.id) : undefined;
    return {
      status,
      mode,
      heldFor: isHeld(payment) ? (payment.heldFor ?? undefined) : undefined,
      expected: part === undefined ? asked : amountOf({ amount: String(part), currency: payment.currency }),
      settled:
        settledAmount === null || settledCurrency === null
          ? undefined
          : amountOf({ amount: settledAmount, currency: settledCurrency }),
    };
  }
}

/** What a rule holds back waits for somebody once it is authorised, and no more once there is nothing to decide. */
function reviewAfter(
  payment: Payment,
  status: ChargeStatus | undefined,
  settled: Settlement | undefined,
): Pick<PaymentChange, 'review'> {
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

import { Injectable, Logger } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { newId } from '../../../kernel/ids.js';
import { AuditLog } from '../../audit/index.js';
import type { Dispute } from './dispute.entity.js';
import { type DisputeMovementReport, type DisputeReport, isDecided, leadsOn } from './dispute.js';
import { DisputesRepository } from './disputes.repository.js';
import { PaymentBooks } from '../payment-books.js';
import type { Payment } from '../payment.entity.js';
import type { ChangeCause, PaymentId } from '../payment.js';
import { PaymentMetrics } from '../payment-metrics.js';
import { PaymentsRepository } from '../payments.repository.js';
import { RefundsRepository } from '../refunds/refunds.repository.js';

/**
 * The one way for a dispute to change: whoever heard of it from the provider, by an event or a question, brings the report here. What
 * moved is booked once, by its key; the status follows what leads on, and else what the provider answers.
 */
@Injectable()
export class DisputeReports {
  private readonly logger = new Logger(DisputeReports.name);

  constructor(
    private readonly payments: PaymentsRepository,
    private readonly disputes: DisputesRepository,
    private readonly refunds: RefundsRepository,
    private readonly books: PaymentBooks,
    private readonly audit: AuditLog,
    private readonly metrics: PaymentMetrics,
  ) {}

  /**
   * @param tx begins with `LEDGER_LOCK`
   * @param askedAt when the provider was asked, by the database's clock; undefined for an event, which says no order
   * @returns false when the provider has to be asked again: it is not told how this report and what is known here go together
   */
  async apply(
    tx: EntityManager,
    id: PaymentId,
    report: DisputeReport,
    cause: ChangeCause,
    askedAt?: Date,
  ): Promise<boolean> {
    const payment = await this.payments.lock(tx, id);
    if (payment === null) return true;
    // Its money has not been booked: there is nothing to take it from.
    if (payment.settledTo === null) return false;
    const known = await this.disputes.ofProvider(tx, payment, report.reference);
    if (known !== null && known.payment !== id) {
      this.logger.warn({ msg: 'A report about the dispute of another payment was ignored', payment: id });
      return true;
    }
    const dispute = known?.id ?? (await this.open(tx, payment, report, cause));
    await this.book(tx, payment, dispute, report, cause);
    return known === null || this.follow(tx, payment, known, report, cause, askedAt);
  }

  private async open(
    tx: EntityManager,
    { id: payment, userId, provider, mode }: Payment,
    report: DisputeReport,
    cause: ChangeCause,
  ): Promise<string> {
    const { reference, status, providerStatus, reason = null, amount, openedAt } = report;
    const id = newId();
    await this.disputes.insert(
      tx,
      {
        id,
        payment,
        userId,
        provider,
        mode,
        providerReference: reference,
        status,
        providerStatus,
        reason,
        amount: String(amount.minor),
        currency: amount.currency,
        openedAt: openedAt ?? (await this.disputes.now(tx)),
      },
      isDecided(status),
    );
    this.metrics.disputed(provider, status);
    const details = { dispute: id, amount: Number(amount.minor), currency: amount.currency, reason };
    await this.record(tx, payment, `dispute.${status}`, details, cause);
    return id;
  }

  /** @returns false when this report may be older than what is known */
  private async follow(
    tx: EntityManager,
    { id: payment, provider }: Payment,
    { id, status: from, providerStatus: known, updatedAt }: Dispute,
    { status, providerStatus }: DisputeReport,
    cause: ChangeCause,
    askedAt: Date | undefined,
  ): Promise<boolean> {
    if (providerStatus === known) return true;
    const isNews = askedAt === undefined ? leadsOn(from, status) : updatedAt < askedAt;
    if (!isNews) return false;
    await this.disputes.move(tx, id, { status, providerStatus }, isDecided(status));
    if (status === from) return true;
    this.metrics.disputed(provider, status);
    await this.record(tx, payment, `dispute.${status}`, { dispute: id, from, to: status }, cause);
    return true;
  }

  private async book(
    tx: EntityManager,
    payment: Payment,
    dispute: string,
    { movements, paidBy }: DisputeReport,
    cause: ChangeCause,
  ): Promise<void> {
    if (movements.length === 0 || (await this.isPaidByRefund(tx, payment, paidBy))) return;
    const booked = new Set((await this.disputes.movementsOf([dispute], tx)).map(({ key }) => key));
    for (const movement of movements) {
      if (booked.has(movement.key)) continue;
      booked.add(movement.key);
      await this.move(tx, payment, dispute, movement, cause);
    }
  }

  /** One loss that shows as a dispute and as a refund is debited once. */
  private async isPaidByRefund(tx: EntityManager, { id }: Payment, paidBy: string | undefined): Promise<boolean> {
    const refund = paidBy === undefined ? null : await this.refunds.ofProvider(tx, id, paidBy);
    return refund !== null && refund.booking !== 'returned';
  }

  private async move(
    tx: EntityManager,
    payment: Payment,
    dispute: string,
    movement: DisputeMovementReport,
    cause: ChangeCause,
  ): Promise<void> {
    const { key, kind, amount } = movement;
    const { account, refusal } = await this.books.moveDisputed(tx, payment, { dispute, ...movement }, cause.actor);
    const { minor, currency } = amount;
    const waiting = refusal !== undefined;
    await this.disputes.addMovement(tx, { dispute, key, kind, amount: String(minor), currency, account, waiting });
    if (account === 'suspense') await this.review(tx, payment, movement, refusal);
    const details = { dispute, amount: Number(minor), currency, account, key };
    await this.record(tx, payment.id, `dispute.funds_${kind}`, details, cause);
  }

  /** Of what disputes leave in suspense somebody has to say whose it is. */
  private async review(
    tx: EntityManager,
    { id, settledTo, review }: Payment,
    { kind, amount }: DisputeMovementReport,
    refusal: Error | undefined,
  ): Promise<void> {
    const money = `${amount.toDecimal()} ${amount.currency}`;
    const why =
      settledTo === 'suspense'
        ? (review ??
          `${money} that a dispute ${kind === 'withdrawn' ? 'took' : 'gave back'} belongs to money in suspense`)
        : refusal === undefined
          ? `${money}, ${kind} by a dispute, is not in the currency of the payment`
          : `${money} that a dispute gave back is in suspense: ${refusal.message}`;
    await this.payments.change(tx, id, { review: why });
  }

  private async record(
    tx: EntityManager,
    payment: PaymentId,
    action: string,
    details: Record<string, unknown>,
    { actor, source }: ChangeCause,
  ): Promise<void> {
    await this.audit.record(tx, [{ actor, action, subject: `payment:${payment}`, details: { ...details, source } }]);
  }
}

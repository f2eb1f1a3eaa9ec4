import { Injectable, Logger } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { newId } from '../../../kernel/ids.js';
import { AuditLog } from '../../audit/index.js';
import { OperationsRepository } from '../providers/operations.repository.js';
import { PaymentBooks, settledAmountOf } from '../payment-books.js';
import type { Payment } from '../payment.entity.js';
import type { ChangeCause, PaymentId, ProviderRefund, RefundStatus } from '../payment.js';
import { PaymentsRepository } from '../payments.repository.js';
import { RefundReports } from './refund-reports.js';
import { RefundsRepository } from './refunds.repository.js';

/** What never came to the customer, or came back. */
const UNDONE: readonly RefundStatus[] = ['failed', 'canceled'];

/**
 * Refunds that were made at the provider, in its dashboard for example: each becomes a refund here, once, and the wallet is debited;
 * what it lacks is the user's debt.
 */
@Injectable()
export class RefundAdoption {
  private readonly logger = new Logger(RefundAdoption.name);

  constructor(
    private readonly payments: PaymentsRepository,
    private readonly operations: OperationsRepository,
    private readonly refunds: RefundsRepository,
    private readonly reports: RefundReports,
    private readonly books: PaymentBooks,
    private readonly audit: AuditLog,
  ) {}

  /**
   * Applies what the provider says of a refund, whoever made it.
   *
   * @param tx begins with `LEDGER_LOCK`
   * @returns false when it cannot be said yet whose it is, so that the provider has to be asked again
   */
  async apply(tx: EntityManager, id: PaymentId, refund: ProviderRefund, cause: ChangeCause): Promise<boolean> {
    const payment = await this.payments.lock(tx, id);
    if (payment === null) return true;
    const known = await this.knownAs(tx, id, refund);
    if (known !== undefined) return this.reports.apply(tx, known, refund, cause);
    if (refund.paysDispute) return true;
    // Its money has not been booked: there is nothing to take it from.
    if (payment.settledTo === null) return false;
    // It may be ours, by a call whose answer never came.
    if (await this.operations.hasOpenRefund(tx, id)) return false;
    await this.adopt(tx, payment, refund, cause);
    return true;
  }

  private async knownAs(
    tx: EntityManager,
    payment: PaymentId,
    { ours, reference }: ProviderRefund,
  ): Promise<string | undefined> {
    const named = ours === undefined ? null : await this.refunds.lock(tx, ours);
    // Metadata can be copied to another refund: ours is the one whose reference is known, or none yet.
    const isOurs = named?.payment === payment && (named.providerReference ?? reference) === reference;
    if (isOurs) return named.id;
    return (await this.refunds.ofProvider(tx, payment, reference))?.id;
  }

  private async adopt(tx: EntityManager, payment: Payment, refund: ProviderRefund, cause: ChangeCause): Promise<void> {
    const { reference, amount, status, failure = null } = refund;
    // Recorded even though undone, so that a late `succeeded` does not debit.
    const isUndone = UNDONE.includes(status);
    if (!isUndone && (await this.exceeds(tx, payment, refund))) return;
    const id = newId();
    if (!isUndone) await this.books.reserve(tx, payment, { id, amount, origin: 'provider' }, cause.actor);
    await this.refunds.insert(tx, {
      id,
      payment: payment.id,
      amount: String(amount.minor),
      currency: amount.currency,
      reason: null,
      createdBy: cause.actor,
      origin: 'provider',
      providerReference: reference,
      ...(isUndone && { status, booking: 'returned', failure }),
    });
    const details = { refund: id, amount: Number(amount.minor), currency: amount.currency, source: cause.source };
    await this.audit.record(tx, [
      { actor: cause.actor, action: 'refund.adopted', subject: `payment:${payment.id}`, details },
    ]);
    await this.payments.watch(tx, payment.id);
    await this.reports.apply(tx, id, refund, cause);
  }

  /** More than there was is no refund of it as we understand it: somebody has to look. */
  private async exceeds(tx: EntityManager, payment: Payment, { reference, amount }: ProviderRefund): Promise<boolean> {
    const { paid, reserved } = await this.refunds.sums(payment.id, tx);
    const { minor: captured, currency } = settledAmountOf(payment);
    if (amount.currency === currency && amount.minor <= captured - paid - reserved) return false;
    const review = `The refund ${reference} of ${amount.toDecimal()} ${amount.currency}, made at ${payment.provider}, is more than is left of the payment: it is not booked`;
    if (payment.review !== review) {
      this.logger.error({ msg: review, payment: payment.id });
      await this.payments.change(tx, payment.id, { review });
    }
    return true;
  }
}

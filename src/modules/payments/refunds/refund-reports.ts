import { Injectable, Logger } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { AuditLog } from '../../audit/index.js';
import { PaymentBooks } from '../payment-books.js';
import type { PaymentRefund, RefundBooking } from './payment-refund.entity.js';
import type { Payment } from '../payment.entity.js';
import type { ChangeCause, PaymentFailure, RefundReport, RefundStatus } from '../payment.js';
import { PaymentsRepository } from '../payments.repository.js';
import { RefundsRepository } from './refunds.repository.js';

/** Where the money is once a refund has come to a status. */
const BOOKED: Readonly<Record<RefundStatus, RefundBooking | undefined>> = {
  pending: undefined,
  requires_action: undefined,
  succeeded: 'paid',
  failed: 'returned',
  canceled: 'returned',
};

/** The one way for a refund to change: whoever heard of it from the provider brings the report here. */
@Injectable()
export class RefundReports {
  private readonly logger = new Logger(RefundReports.name);

  constructor(
    private readonly payments: PaymentsRepository,
    private readonly refunds: RefundsRepository,
    private readonly books: PaymentBooks,
    private readonly audit: AuditLog,
  ) {}

  /**
   * What failed stays failed; what succeeded may still fail, when the customer's bank sends it back.
   *
   * @param tx begins with `LEDGER_LOCK`
   * @returns false when there is no such refund
   */
  async apply(
    tx: EntityManager,
    id: string,
    report: Pick<RefundReport, 'status' | 'failure'> & { readonly reference: string | null },
    cause: ChangeCause,
  ): Promise<boolean> {
    const refund = await this.refunds.lock(tx, id);
    if (refund === null) return false;
    if (report.reference !== null && (refund.providerReference ?? report.reference) !== report.reference) {
      this.logger.warn({ msg: 'A report about another refund was ignored', refund: id, reference: report.reference });
      return false;
    }
    if (refund.providerReference === null && report.reference !== null) {
      await this.refunds.change(tx, id, { providerReference: report.reference });
    }
    if (refund.status === report.status) return true;
    const payment = await this.payments.lock(tx, refund.payment);
    if (payment === null) return false;
    if (!mayFollow(refund, report.status)) {
      // An event may be older than what is known: the provider is asked, and its answer is final.
      if (report.status === 'succeeded' && cause.source === 'webhook') await this.payments.ring(tx, payment.id);
      else if (report.status === 'succeeded') await this.contradict(tx, payment, refund);
      return true;
    }
    const booking = await this.book(tx, payment, refund, report.status, cause.actor);
    const failure = report.failure ?? null;
    await this.refunds.change(tx, id, { status: report.status, failure, ...(booking && { booking }) });
    await this.audit.record(tx, [
      {
        actor: cause.actor,
        action: `refund.${report.status}`,
        subject: `payment:${payment.id}`,
        details: { refund: id, from: refund.status, to: report.status, source: cause.source },
      },
    ]);
    await this.payments.watch(tx, payment.id);
    return true;
  }

  /** The provider refused to make it. */
  async refuse(tx: EntityManager, id: string, failure: PaymentFailure, cause: ChangeCause): Promise<void> {
    await this.apply(tx, id, { reference: null, status: 'failed', failure }, cause);
  }

  /** @returns where the money is now; undefined when it has not moved */
  private async book(
    tx: EntityManager,
    payment: Payment,
    refund: PaymentRefund,
    status: RefundStatus,
    actor: string,
  ): Promise<RefundBooking | undefined> {
    const booking = BOOKED[status];
    if (booking === 'paid') {
      await this.books.payOut(tx, payment, refund, actor);
      // Declined, all that was left of it. What somebody refunds at the provider may be a part.
      const isDeclined = payment.settledTo === 'suspense' && refund.origin === 'api';
      if (isDeclined) await this.payments.change(tx, payment.id, { review: null });
    } else if (booking === 'returned') {
      const refusal = await this.books.giveBack(tx, payment, refund, actor);
      if (refusal !== undefined) {
        await this.payments.change(tx, payment.id, { review: `A failed refund is in suspense: ${refusal.message}` });
        return 'suspended';
      }
      if (payment.settledTo === 'suspense') {
        await this.payments.change(tx, payment.id, { review: payment.review ?? 'Its refund was sent back' });
      }
    }
    return booking;
  }

  /** Its money was given back, and has gone to the customer all the same. */
  private async contradict(tx: EntityManager, payment: Payment, refund: PaymentRefund): Promise<void> {
    const review = `The refund ${refund.id} succeeded after it was ${refund.status}: the customer and the wallet have the money`;
    this.logger.error({ msg: review, payment: payment.id, refund: refund.id });
    await this.payments.change(tx, payment.id, { review });
  }
}

function mayFollow({ status: from }: PaymentRefund, to: RefundStatus): boolean {
  if (from === 'failed' || from === 'canceled') return false;
  return from !== 'succeeded' || to === 'failed';
}

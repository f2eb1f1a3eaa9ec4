import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { decodeCursor, pageOf } from '../../kernel/cursor.js';
import { Money } from '../../kernel/money.js';
import type { RequestContext } from '../../platform/auth/index.js';
import type { PageQueryDto } from '../../platform/http/index.js';
import { IdempotentTransactor, type RequestClaim } from '../../platform/idempotency/index.js';
import { LEDGER_LOCK } from '../../platform/transaction/index.js';
import { AuditLog } from '../audit/index.js';
import { Ledger, userAccount } from '../ledger/index.js';
import { DisputesRepository } from './disputes.repository.js';
import type { PaymentDto, PaymentPageDto, RefundDto } from './dto/payment.dto.js';
import { PaymentBooks, settledAmountOf } from './payment-books.js';
import type { PaymentCaller } from './payment-caller.js';
import { IllegalTransitionError, unknownPayment } from './payment.errors.js';
import type { Payment } from './payment.entity.js';
import { isPaymentId } from './payment.js';
import { PaymentReader } from './payment-reader.js';
import { PaymentsRepository } from './payments.repository.js';
import { RefundsRepository } from './refunds.repository.js';
import { RefundsService } from './refunds.service.js';

/** Money that arrived and could not simply be credited: somebody says whose it is. */
@Injectable()
export class ReviewsService {
  constructor(
    private readonly transactor: IdempotentTransactor,
    private readonly payments: PaymentsRepository,
    private readonly reader: PaymentReader,
    private readonly refunds: RefundsRepository,
    private readonly disputes: DisputesRepository,
    private readonly refundsService: RefundsService,
    private readonly ledger: Ledger,
    private readonly books: PaymentBooks,
    private readonly audit: AuditLog,
  ) {}

  async list({ limit, cursor }: PageQueryDto): Promise<PaymentPageDto> {
    const before = cursor === undefined ? undefined : decodeCursor(cursor, { id: 'uuid' }).id;
    const rows = await this.payments.inReview(before, limit + 1);
    const page = pageOf(
      rows,
      limit,
      ({ id }) => ({ id }),
      (payment) => payment,
    );
    return {
      data: await this.reader.viewsOf(page.data),
      nextCursor: page.nextCursor,
    };
  }

  /**
   * What waits in suspense goes to the wallet. Of a review about money that does not wait there, for example a refund that succeeded
   * after it had failed, this only says that somebody has seen it.
   *
   * @throws NotFoundError, IllegalTransitionError (409), and what the ledger refuses, for example for a frozen account
   */
  approve(id: string, context: RequestContext, claim: RequestClaim | undefined): Promise<PaymentDto> {
    return this.transactor.run(
      claim,
      async (tx) => {
        const payment = isPaymentId(id) ? await this.payments.lock(tx, id) : null;
        if (payment === null) throw unknownPayment();
        const suspended = await this.refunds.suspendedOf(tx, payment.id);
        const waiting = await this.disputes.waitingOf(tx, payment.id);
        const left = await this.leftInSuspense(tx, payment);
        const isMoved = left !== undefined || suspended.length + waiting.length > 0;
        if (!isMoved && payment.review === null) {
          throw new IllegalTransitionError('approved', payment.status, ', and not in review,');
        }
        if (isMoved) {
          const { currency } = settledAmountOf(payment);
          await this.ledger.openAccount(tx, userAccount(payment.userId, currency), context);
        }
        if (left !== undefined) await this.books.release(tx, payment, left, context.actor);
        for (const movement of waiting) {
          await this.books.releaseDisputed(tx, payment, movement, context.actor);
          await this.disputes.release(tx, movement);
        }
        for (const refund of suspended) {
          await this.books.releaseRefund(tx, payment, refund, context.actor);
          await this.refunds.change(tx, refund.id, { booking: 'returned' });
        }
        const settledTo = left !== undefined ? 'wallet' : payment.settledTo;
        await this.payments.change(tx, payment.id, { settledTo, review: null });
        const step = {
          from: payment.status,
          to: payment.status,
          reason: isMoved ? 'Approved: from suspense to the wallet' : 'Seen',
        };
        await this.payments.addTransition(tx, payment.id, step, { source: 'api', actor: context.actor });
        await this.audit.record(tx, [
          {
            ...context,
            action: 'payment.approved',
            subject: `payment:${payment.id}`,
            details: { review: payment.review },
          },
        ]);
        return this.reader.view({ ...payment, settledTo, review: null }, tx);
      },
      { lockTable: LEDGER_LOCK },
    );
  }

  /** @returns undefined when there is nothing of the payment in suspense, or it is on its way back */
  private async leftInSuspense(tx: EntityManager, payment: Payment): Promise<Money | undefined> {
    if (payment.settledTo !== 'suspense') return undefined;
    const { paid, reserved } = await this.refunds.sums(payment.id, tx);
    const { taken } = await this.disputes.sums(payment.id, tx);
    const { minor, currency } = settledAmountOf(payment);
    const left = Money.of(minor - paid - reserved - taken, currency);
    return left.minor > 0n && reserved === 0n ? left : undefined;
  }

  /** Gives all of it back. Throws like `RefundsService.refundPayment`. */
  decline(id: string, caller: PaymentCaller): Promise<RefundDto> {
    return this.refundsService.refundPayment(id, { reason: 'Declined in review' }, caller, 'suspense');
  }
}

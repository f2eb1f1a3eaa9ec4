import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Money } from '../../../kernel/money.js';
import type { RequestContext } from '../../../platform/auth/index.js';
import type { PageQueryDto } from '../../../platform/http/index.js';
import { LEDGER_LOCK, READ_COMMITTED, Transactor } from '../../../platform/transaction/index.js';
import { AuditLog } from '../../audit/index.js';
import { Ledger, userAccount } from '../../ledger/index.js';
import { DisputesRepository } from '../disputes/disputes.repository.js';
import type { PaymentDto, RefundDto, ReviewPageDto } from '../dto/payment.dto.js';
import { OperationsRepository } from '../providers/operations.repository.js';
import { PaymentBooks, settledAmountOf } from '../payment-books.js';
import type { PaymentCaller } from '../payment-caller.js';
import { IllegalTransitionError, unknownPayment } from '../payment.errors.js';
import type { Payment } from '../payment.entity.js';
import type { PaymentId } from '../payment.js';
import { PaymentReader } from '../payment-reader.js';
import { PaymentsRepository } from '../payments.repository.js';
import { PaymentsService } from '../payments.service.js';
import type { OperationKind } from '../providers/provider-operation.entity.js';
import { RefundsRepository } from '../refunds/refunds.repository.js';
import { RefundsService } from '../refunds/refunds.service.js';

/** Money that could not simply be credited, and payments that a rule holds back: somebody says whose it is. */
@Injectable()
export class ReviewsService {
  constructor(
    private readonly transactor: Transactor,
    private readonly service: PaymentsService,
    private readonly payments: PaymentsRepository,
    private readonly reader: PaymentReader,
    private readonly operations: OperationsRepository,
    private readonly refunds: RefundsRepository,
    private readonly disputes: DisputesRepository,
    private readonly refundsService: RefundsService,
    private readonly ledger: Ledger,
    private readonly books: PaymentBooks,
    private readonly audit: AuditLog,
  ) {}

  /** Newest first. */
  list(query: PageQueryDto): Promise<ReviewPageDto> {
    return this.reader.reviews(query);
  }

  /**
   * The money in suspense is the user's; what is only authorised is captured, unless its caller wanted to do that. Of a review about
   * money that does not wait, for example a refund that succeeded after it had failed, this says that somebody has seen it.
   *
   * @throws NotFoundError, IllegalTransitionError, PaymentBusyError, ProviderRefusedError (409), and what the ledger refuses, for
   *   example for a frozen account
   */
  async approve(id: string, caller: PaymentCaller): Promise<PaymentDto> {
    const payment = await this.reader.visible(id, caller.principal);
    if (caller.resumed && isApproved(payment)) return this.reader.view(payment);
    if (!isAuthorized(payment) && !(await this.hasBegun('capture', caller)))
      return this.approveSuspended(payment.id, caller);
    return payment.capture === 'manual' ? this.letGo(payment.id, caller) : this.service.approveHeld(id, caller);
  }

  /** Gives all of it back: what is in suspense by a refund, what is only authorised by giving that up. Throws like `approve`. */
  async decline(id: string, caller: PaymentCaller): Promise<PaymentDto | RefundDto> {
    const payment = await this.reader.visible(id, caller.principal);
    if (isAuthorized(payment) || (await this.hasBegun('cancel', caller))) return this.service.declineHeld(id, caller);
    return this.refundsService.refundPayment(id, { reason: 'Declined in review' }, caller, 'suspense');
  }

  /** An attempt before this one: it is gone on from there, whatever has become of the payment since. */
  private async hasBegun(kind: OperationKind, { resumed, claim }: PaymentCaller): Promise<boolean> {
    return resumed && claim !== undefined && (await this.operations.begunBy(claim))?.kind === kind;
  }

  private async approveSuspended(id: PaymentId, { context }: PaymentCaller): Promise<PaymentDto> {
    return this.transactor.run(
      async (tx) => {
        const payment = await this.locked(tx, id);
        const suspended = await this.refunds.suspendedOf(tx, id);
        const waiting = await this.disputes.waitingOf(tx, id);
        const left = await this.leftInSuspense(tx, payment);
        const isMoved = left !== undefined || suspended.length + waiting.length > 0;
        const { reserved } = await this.refunds.sums(id, tx);
        // What is on its way back is not over.
        if (!isMoved && (payment.review === null || reserved > 0n)) throw notInReview(payment);
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
        await this.payments.release(tx, id);
        await this.payments.change(tx, id, { settledTo, review: null });
        await this.record(tx, payment, isMoved ? 'Approved: from suspense to the wallet' : 'Seen', context);
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

  /** Who asked for an authorisation captures it, as they would have without the rule. */
  private async letGo(id: PaymentId, { context }: PaymentCaller): Promise<PaymentDto> {
    return this.transactor.run(async (tx) => {
      const payment = await this.locked(tx, id);
      if (!isAuthorized(payment) || payment.status !== 'requires_capture') throw notInReview(payment);
      await this.payments.release(tx, id);
      await this.payments.change(tx, id, { review: null });
      await this.record(tx, payment, 'Approved: it may be captured', context);
      return this.reader.view({ ...payment, review: null }, tx);
    }, READ_COMMITTED);
  }

  private async locked(tx: EntityManager, id: PaymentId): Promise<Payment> {
    const payment = await this.payments.lock(tx, id);
    if (payment === null) throw unknownPayment();
    return payment;
  }

  private async record(
    tx: EntityManager,
    { id, status, review }: Payment,
    reason: string,
    context: RequestContext,
  ): Promise<void> {
    const step = { from: status, to: status, reason };
    await this.payments.addTransition(tx, id, step, { source: 'api', actor: context.actor });
    const line = { ...context, action: 'payment.approved', subject: `payment:${id}`, details: { review } };
    await this.audit.record(tx, [line]);
  }
}

/** A rule holds it back, and its money has not come. */
function isAuthorized({ heldFor, review, settledTo }: Payment): boolean {
  return heldFor !== null && review !== null && settledTo === null;
}

function isApproved({ review, releasedAt }: Payment): boolean {
  return review === null && releasedAt !== null;
}

function notInReview({ status }: Payment): IllegalTransitionError {
  return new IllegalTransitionError('approved', status, ', and not in review,');
}

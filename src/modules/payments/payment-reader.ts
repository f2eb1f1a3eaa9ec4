import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { decodeCursor, pageOf } from '../../kernel/cursor.js';
import { endUserOf, type Principal } from '../../platform/auth/index.js';
import type { PageQueryDto } from '../../platform/http/index.js';
import { NOTHING_DISPUTED } from './disputes/dispute.js';
import { DisputesRepository } from './disputes/disputes.repository.js';
import type {
  PaymentDetailDto,
  PaymentDto,
  PaymentPageDto,
  PaymentQueryDto,
  ReviewPageDto,
} from './dto/payment.dto.js';
import { OperationsRepository } from './providers/operations.repository.js';
import { ReferenceAmbiguousError, unknownPayment } from './payment.errors.js';
import type { Payment } from './payment.entity.js';
import { isPaymentId, type PaymentId } from './payment.js';
import { disputeView, operationView, paymentView, refundView, transitionView } from './payment-view.js';
import { PaymentsRepository } from './payments.repository.js';
import { NONE, RefundsRepository } from './refunds/refunds.repository.js';
import { EvaluationsRepository } from './rules/evaluations.repository.js';
import { evaluationView } from './rules/fraud-rule-view.js';

/** Payments as they are shown, to those who may see them. */
@Injectable()
export class PaymentReader {
  constructor(
    private readonly payments: PaymentsRepository,
    private readonly operations: OperationsRepository,
    private readonly refunds: RefundsRepository,
    private readonly disputes: DisputesRepository,
    private readonly evaluations: EvaluationsRepository,
  ) {}

  async list({ limit, cursor, ...filter }: PaymentQueryDto, principal: Principal): Promise<PaymentPageDto> {
    const before = cursor === undefined ? undefined : decodeCursor(cursor, { id: 'uuid' }).id;
    const user = endUserOf(principal);
    if (user !== undefined) requireOwner(principal, filter.userId ?? user);
    const whose = user === undefined ? filter : { ...filter, userId: user };
    const rows = await this.payments.list(whose, before, limit + 1);
    const page = pageOf(
      rows,
      limit,
      ({ id }) => ({ id }),
      (payment) => payment,
    );
    return { data: await this.viewsOf(page.data), nextCursor: page.nextCursor };
  }

  /** @throws NotFoundError, also for another user's */
  async find(id: string, principal: Principal): Promise<PaymentDetailDto> {
    const payment = await this.visible(id, principal);
    const [view, transitions, refunds, disputes, operations] = await Promise.all([
      this.view(payment),
      this.payments.transitions(payment.id),
      this.refunds.of(payment.id),
      this.disputes.of(payment.id),
      this.operations.of(payment.id),
    ]);
    const unknown = new Set(operations.filter(({ outcome }) => outcome === 'unknown').map(({ refund }) => refund));
    return {
      ...view,
      transitions: transitions.map(transitionView),
      refunds: refunds.map((refund) => refundView(refund, unknown.has(refund.id))),
      disputes: disputes.map(disputeView),
      operations: operations.map(operationView),
      ...(endUserOf(principal) === undefined && (await this.judged(payment))),
    };
  }

  /** What is not for the customer: whoever knows the rules gets around them. */
  private async judged(payment: Payment): Promise<Pick<PaymentDetailDto, 'context' | 'evaluations'>> {
    const { ip, country, cardFingerprint, deviceId } = payment;
    const evaluations = await this.evaluations.of(payment.id);
    return { context: { ip, country, cardFingerprint, deviceId }, evaluations: evaluations.map(evaluationView) };
  }

  /** Those that wait for somebody, newest first, with the rules that want it. */
  async reviews({ limit, cursor }: PageQueryDto): Promise<ReviewPageDto> {
    const before = cursor === undefined ? undefined : decodeCursor(cursor, { id: 'uuid' }).id;
    const rows = await this.payments.inReview(before, limit + 1);
    const page = pageOf(
      rows,
      limit,
      ({ id }) => ({ id }),
      (payment) => payment,
    );
    const [views, matched] = await Promise.all([
      this.viewsOf(page.data),
      this.evaluations.reviewsOf(page.data.flatMap(({ id, heldFor }) => (heldFor === null ? [] : [id]))),
    ]);
    const data = views.map((view) => ({
      ...view,
      evaluations: (matched.get(view.id as PaymentId) ?? []).map(evaluationView),
    }));
    return { data, nextCursor: page.nextCursor };
  }

  /**
   * By the caller's own reference, or else by the provider's.
   *
   * @throws NotFoundError, also for another user's
   * @throws ReferenceAmbiguousError (409) when several users have one with this reference: users choose theirs freely
   */
  async findByReference(reference: string, principal: Principal): Promise<Payment> {
    const [payment, ...others] = await this.payments.findByReference(endUserOf(principal), reference);
    if (payment === undefined) throw unknownPayment();
    if (others.some(({ userId }) => userId !== payment.userId)) throw new ReferenceAmbiguousError();
    return payment;
  }

  /** @throws NotFoundError, also for another user's */
  async visible(id: string, principal: Principal): Promise<Payment> {
    const payment = isPaymentId(id) ? await this.payments.find(id) : null;
    const user = endUserOf(principal);
    if (payment === null || (user !== undefined && payment.userId !== user)) throw unknownPayment();
    return payment;
  }

  async viewOf(id: PaymentId, clientSecret?: string): Promise<PaymentDto> {
    const payment = await this.payments.find(id);
    if (payment === null) throw unknownPayment();
    return { ...(await this.view(payment)), ...(clientSecret !== undefined && { clientSecret }) };
  }

  /** @param by of the caller's transaction, if it is in one */
  async view(payment: Payment, by?: EntityManager): Promise<PaymentDto> {
    const sums = await this.refunds.sums(payment.id, by);
    const open = await this.operations.openOf(payment.id, by);
    return paymentView(payment, sums, await this.disputes.sums(payment.id, by), open?.outcome === 'unknown');
  }

  async viewsOf(payments: readonly Payment[]): Promise<PaymentDto[]> {
    const ids = payments.map(({ id }) => id);
    const [sums, disputes, open] = await Promise.all([
      this.refunds.sumsOf(ids),
      this.disputes.sumsOf(ids),
      this.operations.openOfAll(ids),
    ]);
    const unknown = new Set(open.filter(({ outcome }) => outcome === 'unknown').map(({ payment }) => payment));
    return payments.map((payment) => {
      const { id } = payment;
      return paymentView(payment, sums.get(id) ?? NONE, disputes.get(id) ?? NOTHING_DISPUTED, unknown.has(id));
    });
  }
}

/** @throws NotFoundError when an end user names another user: the same answer as for one that does not exist */
export function requireOwner(principal: Principal, userId: string): void {
  const user = endUserOf(principal);
  if (user !== undefined && user !== userId) throw unknownPayment();
}

import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { Currency } from '../../kernel/currency.js';
import { newId } from '../../kernel/ids.js';
import { Money } from '../../kernel/money.js';
import { within } from '../../kernel/within.js';
import { ownerOf, type Principal } from '../../platform/auth/index.js';
import { RateLimiter } from '../../platform/rate-limit/index.js';
import { READ_COMMITTED, Transactor } from '../../platform/transaction/index.js';
import { AuditLog } from '../audit/index.js';
import type { NewPaymentDto, PaymentDto } from './dto/payment.dto.js';
import { OperationsRepository } from './providers/operations.repository.js';
import { amountOf } from './payment-books.js';
import {
  CaptureExceedsAuthorizationError,
  IllegalTransitionError,
  PaymentBusyError,
  PaymentDeclinedError,
  ProviderRefusedError,
  unknownPayment,
} from './payment.errors.js';
import { isHeld, type Payment } from './payment.entity.js';
import { type ChangeCause, type ChargeStatus, type PaymentId, type RefundStatus } from './payment.js';
import { PaymentCreation } from './payment-creation.js';
import { PaymentReader, requireOwner } from './payment-reader.js';
import { PaymentsRepository } from './payments.repository.js';
import { CALL_MS, type CallResult, ProviderCalls } from './providers/provider-calls.js';
import { ProviderReturns } from './providers/provider-returns.js';
import { ProviderDirectory } from './providers/provider-directory.js';
import type { OperationKind, ProviderOperation } from './providers/provider-operation.entity.js';
import { RefundsRepository } from './refunds/refunds.repository.js';
import { causeOf, type PaymentCaller } from './payment-caller.js';

/** Milliseconds after which whoever verifies a payment has an answer: a call's deadline, and what is committed of it. */
const ANSWERED_WITHIN = 30_000;

/** Payments as their callers see them. */
@Injectable()
export class PaymentsService {
  constructor(
    private readonly transactor: Transactor,
    private readonly reader: PaymentReader,
    private readonly directory: ProviderDirectory,
    private readonly creation: PaymentCreation,
    private readonly payments: PaymentsRepository,
    private readonly operations: OperationsRepository,
    private readonly refunds: RefundsRepository,
    private readonly calls: ProviderCalls,
    private readonly returns: ProviderReturns,
    private readonly limiter: RateLimiter,
    private readonly audit: AuditLog,
  ) {}

  /**
   * Takes a payment. What the provider declines is a payment with status `failed`, and no error; one whose outcome nobody
   * knows has the status `unknown`, and becomes known by itself.
   *
   * @param rule the limit it counts for, of this caller and this user
   * @throws ValidationError (400) for what the provider cannot carry; NotFoundError (404) when an end user names another user
   * @throws PaymentDeclinedError (402) by a rule; ForbiddenError (403) for a context that an end user sent
   * @throws PaymentAlreadyOpenError (409), IdempotencyKeyReusedError (422), RateLimitedError (429)
   */
  async processPayment(
    asked: NewPaymentDto,
    caller: PaymentCaller,
    rule: 'payments' | 'initialize' = 'payments',
  ): Promise<PaymentDto> {
    const input = { ...asked, userId: ownerOf(caller.principal, asked.userId) };
    requireOwner(caller.principal, input.userId);
    const begunAt = performance.now();
    const begun = caller.claim && (await this.operations.begunBy(caller.claim));
    if (begun) return this.goOn(begun, caller);
    await this.limiter.charge(rule, caller.principal, input.userId);
    const provider = this.directory.choose(input.provider);
    const id: PaymentId = newId();
    const amount = Money.of(input.amount, input.currency as Currency);
    const { email, description, providerPaymentMethod, capture } = input;
    provider.check({ payment: id, amount, capture, email, description, providerPaymentMethod });
    const operation = newId();
    const created = await this.creation.create({ id, operation, amount, input, provider }, caller);
    if ('begun' in created) return this.goOn(created.begun, caller);
    if (created.judgement.verdict === 'decline') throw new PaymentDeclinedError(id);
    const { clientSecret } = await this.calls.send(operation, causeOf(caller), begunAt);
    return this.reader.viewOf(id, clientSecret);
  }

  /** Asks the provider how the payment stands, and what became of calls whose outcome is not known. */
  async verifyPayment(id: string, principal: Principal, actor: string): Promise<PaymentDto> {
    const payment = await this.reader.visible(id, principal);
    await this.limiter.charge('verify', principal, payment.userId);
    const cause = { source: 'api', actor } as const;
    // Refunds are asked about one by one. What takes longer goes on without the caller, who sees what is known by then.
    const clientSecret = await within(ANSWERED_WITHIN, this.askAboutAll(payment, cause));
    return this.reader.viewOf(payment.id, clientSecret);
  }

  /** @returns the charge's client secret, as long as there is something to be done with it */
  private async askAboutAll(payment: Payment, cause: ChangeCause): Promise<string | undefined> {
    const { clientSecret } = await this.refreshCharge(payment, cause);
    await this.refreshRefunds(payment, cause);
    await this.returns.refresh(payment.id, cause);
    return clientSecret;
  }

  /** @throws IllegalTransitionError, CaptureExceedsAuthorizationError, PaymentBusyError, ProviderRefusedError (409) */
  async capturePayment(id: string, amount: number | undefined, caller: PaymentCaller): Promise<PaymentDto> {
    const wanted = (payment: Payment): bigint => {
      const authorized = amountOf(payment);
      const part = BigInt(amount ?? authorized.minor);
      if (isHeld(payment)) throw new IllegalTransitionError('captured', payment.status, ', in review,');
      if (part > authorized.minor) throw new CaptureExceedsAuthorizationError(authorized);
      return part;
    };
    return this.change(id, 'capture', ['requires_capture'], 'captured', caller, wanted);
  }

  /** @throws IllegalTransitionError, PaymentBusyError, ProviderRefusedError (409) */
  async cancelPayment(id: string, caller: PaymentCaller): Promise<PaymentDto> {
    return this.change(id, 'cancel', CANCELABLE, 'canceled', caller);
  }

  /**
   * Somebody has looked at what a rule holds back, and takes the money.
   *
   * @throws IllegalTransitionError, PaymentBusyError, ProviderRefusedError (409)
   */
  async approveHeld(id: string, caller: PaymentCaller): Promise<PaymentDto> {
    return this.change(id, 'capture', ['requires_capture'], 'approved', caller, async (payment, tx) => {
      requireInReview(payment, 'approved');
      await this.payments.release(tx, payment.id);
      await this.recordReview(tx, payment, 'payment.approved', caller);
      return amountOf(payment).minor;
    });
  }

  /** Or gives the authorisation back. Throws like `approveHeld`. */
  async declineHeld(id: string, caller: PaymentCaller): Promise<PaymentDto> {
    return this.change(id, 'cancel', ['requires_capture'], 'declined', caller, async (payment, tx) => {
      requireInReview(payment, 'declined');
      await this.recordReview(tx, payment, 'payment.review_declined', caller);
      return undefined;
    });
  }

  /** @returns false when the provider could not say all of it, so that it has to be asked again */
  async refresh(payment: Payment, cause: ChangeCause): Promise<boolean> {
    const { isKnown } = await this.refreshCharge(payment, cause);
    const areKnown = await this.refreshRefunds(payment, cause);
    const mayHaveReturns = payment.rings > 0 || (await this.refunds.hasOpenAdopted(payment.id));
    return (!mayHaveReturns || (await this.returns.refresh(payment.id, cause))) && isKnown && areKnown;
  }

  /** @returns the charge's client secret, as long as there is something to be done with it */
  private async refreshCharge(
    payment: Payment,
    cause: ChangeCause,
  ): Promise<{ isKnown: boolean; clientSecret?: string | undefined }> {
    const open = await this.operations.openOf(payment.id);
    if (open !== null) {
      const { outcome, clientSecret } = await this.calls.resolve(open, cause);
      return { isKnown: outcome !== 'unknown', clientSecret };
    }
    if (FINAL.includes(payment.status)) return { isKnown: true };
    const report = await this.calls.refresh(payment, cause);
    return report === 'unknown' ? { isKnown: false } : { isKnown: true, clientSecret: report?.clientSecret };
  }

  /** Also those that have succeeded: the customer's bank may send one back. */
  private async refreshRefunds(payment: Payment, cause: ChangeCause): Promise<boolean> {
    let isKnown = true;
    for (const refund of await this.refunds.of(payment.id)) {
      const call = REFUND_OVER.includes(refund.status) ? null : await this.operations.callOf(refund.id);
      if (call?.outcome === 'pending' || call?.outcome === 'unknown') await this.calls.resolve(call, cause);
      else if (call) isKnown = (await this.calls.refreshRefund(call, payment, cause)) && isKnown;
    }
    return isKnown;
  }

  private async change(
    id: string,
    kind: Exclude<OperationKind, 'create' | 'refund'>,
    from: readonly ChargeStatus[],
    what: string,
    caller: PaymentCaller,
    prepare?: (payment: Payment, tx: EntityManager) => bigint | undefined | Promise<bigint | undefined>,
  ): Promise<PaymentDto> {
    const { id: payment, userId, provider } = await this.reader.visible(id, caller.principal);
    const begunAt = performance.now();
    const begun = caller.claim && (await this.operations.begunBy(caller.claim));
    if (begun) return this.goOn(begun, caller);
    this.directory.choose(provider);
    await this.limiter.charge('payments', caller.principal, userId);
    const operation = newId();
    const meanwhile = await this.transactor.run(async (tx) => {
      const locked = await this.payments.lock(tx, payment);
      if (locked === null) throw unknownPayment();
      const earlier = caller.claim ? await this.operations.begunBy(caller.claim, tx) : null;
      if (earlier !== null) return earlier;
      if (await this.operations.openOf(payment, tx)) throw new PaymentBusyError();
      if (!from.includes(locked.status)) throw new IllegalTransitionError(what, locked.status);
      const amount = await prepare?.(locked, tx);
      await this.operations.insert(tx, {
        id: operation,
        payment,
        kind,
        claim: caller.claim,
        ...(amount !== undefined && { amount }),
      });
      await this.payments.watch(tx, payment, CALL_MS);
      const action = `payment.${kind}_requested`;
      await this.audit.record(tx, [{ ...caller.context, action, subject: `payment:${payment}` }]);
      return null;
    }, READ_COMMITTED);
    if (meanwhile) return this.goOn(meanwhile, caller);
    const result = await this.calls.send(operation, causeOf(caller), begunAt);
    return this.answer(payment, result);
  }

  /** From what an earlier attempt at the same request has begun. */
  private async goOn(operation: ProviderOperation, caller: PaymentCaller): Promise<PaymentDto> {
    const result = await this.calls.resume(operation, causeOf(caller));
    if (operation.kind !== 'create') return this.answer(operation.payment, result);
    const view = await this.reader.viewOf(operation.payment, result.clientSecret);
    if (view.status === 'declined') throw new PaymentDeclinedError(view.id);
    return view;
  }

  private async recordReview(
    tx: EntityManager,
    { id, review }: Payment,
    action: string,
    { context }: PaymentCaller,
  ): Promise<void> {
    await this.audit.record(tx, [{ ...context, action, subject: `payment:${id}`, details: { review } }]);
  }

  private answer(payment: PaymentId, { failure }: CallResult): Promise<PaymentDto> {
    if (failure !== undefined) throw new ProviderRefusedError(failure);
    return this.reader.viewOf(payment);
  }
}

/** @throws IllegalTransitionError when nobody has to look at it, or the money has come already */
function requireInReview({ review, settledTo, status }: Payment, what: string): void {
  if (review === null || settledTo !== null) throw new IllegalTransitionError(what, status, ', and not in review,');
}

const CANCELABLE: readonly ChargeStatus[] = ['requires_action', 'processing', 'requires_capture', 'failed'];
const FINAL: readonly ChargeStatus[] = ['succeeded', 'canceled', 'declined'];
const REFUND_OVER: readonly RefundStatus[] = ['failed', 'canceled'];

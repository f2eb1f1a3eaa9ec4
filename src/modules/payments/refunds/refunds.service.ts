import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { newId } from '../../../kernel/ids.js';
import { Money } from '../../../kernel/money.js';
import type { Principal } from '../../../platform/auth/index.js';
import { RateLimiter } from '../../../platform/rate-limit/index.js';
import { LEDGER_LOCK, Transactor } from '../../../platform/transaction/index.js';
import { AuditLog } from '../../audit/index.js';
import type { NewRefundDto, RefundDto, RefundListDto } from '../dto/payment.dto.js';
import type { DisputeSums } from '../disputes/dispute.js';
import { DisputesRepository } from '../disputes/disputes.repository.js';
import { OperationsRepository } from '../providers/operations.repository.js';
import { PaymentBooks, settledAmountOf } from '../payment-books.js';
import {
  IllegalTransitionError,
  PaymentBusyError,
  PaymentDisputedError,
  ProviderRefusedError,
  RefundExceedsCapturedError,
  unknownPayment,
} from '../payment.errors.js';
import type { Payment } from '../payment.entity.js';
import { causeOf, type PaymentCaller } from '../payment-caller.js';
import { PaymentReader } from '../payment-reader.js';
import { refundableOf, refundView } from '../payment-view.js';
import { PaymentsRepository } from '../payments.repository.js';
import { CALL_MS, type CallResult, ProviderCalls } from '../providers/provider-calls.js';
import { ProviderDirectory } from '../providers/provider-directory.js';
import { type RefundSums, RefundsRepository } from './refunds.repository.js';
import type { ProviderOperation } from '../providers/provider-operation.entity.js';

/** Money back to customers. */
@Injectable()
export class RefundsService {
  constructor(
    private readonly transactor: Transactor,
    private readonly reader: PaymentReader,
    private readonly payments: PaymentsRepository,
    private readonly operations: OperationsRepository,
    private readonly refunds: RefundsRepository,
    private readonly disputes: DisputesRepository,
    private readonly books: PaymentBooks,
    private readonly calls: ProviderCalls,
    private readonly directory: ProviderDirectory,
    private readonly audit: AuditLog,
    private readonly limiter: RateLimiter,
  ) {}

  /**
   * Sets the money aside in the ledger, then asks the provider: two refunds at once cannot give back more than was captured, and
   * what the user has spent cannot be given back.
   *
   * @param from where the money is: in suspense only for a review that was declined
   * @throws RefundExceedsCapturedError, PaymentDisputedError, IllegalTransitionError (409)
   * @throws PaymentBusyError, ProviderRefusedError (409)
   * @throws InsufficientFundsError (402) when the wallet does not have it any more
   */
  async refundPayment(
    id: string,
    input: NewRefundDto,
    caller: PaymentCaller,
    from: 'wallet' | 'suspense' = 'wallet',
  ): Promise<RefundDto> {
    const { id: payment, userId, provider } = await this.reader.visible(id, caller.principal);
    const begunAt = performance.now();
    const begun = caller.claim && (await this.operations.begunBy(caller.claim));
    if (begun) return this.goOn(begun, caller);
    this.directory.choose(provider);
    await this.limiter.charge('payments', caller.principal, userId);
    const [operation, refund] = [newId(), newId()];
    const { actor } = caller.context;
    const meanwhile = await this.transactor.run(
      async (tx) => {
        const locked = await this.payments.lock(tx, payment);
        if (locked === null) throw unknownPayment();
        const earlier = caller.claim ? await this.operations.begunBy(caller.claim, tx) : null;
        if (earlier !== null) return earlier;
        await this.requireItsTurn(tx, locked);
        const sums = await this.refunds.sums(payment, tx);
        const amount = amountFor(locked, input, from, sums, await this.disputes.sums(payment, tx));
        await this.books.reserve(tx, locked, { id: refund, amount }, actor);
        const { reason = null } = input;
        const { minor, currency } = amount;
        await this.refunds.insert(tx, {
          id: refund,
          payment,
          amount: String(minor),
          currency,
          reason,
          createdBy: actor,
        });
        await this.operations.insert(tx, {
          id: operation,
          payment,
          kind: 'refund',
          refund,
          amount: minor,
          claim: caller.claim,
        });
        await this.payments.watch(tx, payment, CALL_MS);
        const details = { refund, amount: Number(minor), currency };
        await this.audit.record(tx, [
          { ...caller.context, action: 'refund.created', subject: `payment:${payment}`, details },
        ]);
        return null;
      },
      { lockTable: LEDGER_LOCK },
    );
    if (meanwhile) return this.goOn(meanwhile, caller);
    const result = await this.calls.send(operation, causeOf(caller), begunAt);
    return this.answer(refund, result);
  }

  /** @throws NotFoundError, also for another user's payment */
  async list(id: string, principal: Principal): Promise<RefundListDto> {
    const { refunds } = await this.reader.find(id, principal);
    return { data: refunds };
  }

  /** Without keys two refunds under way are hard to tell apart afterwards. @throws PaymentBusyError */
  private async requireItsTurn(tx: EntityManager, { id, provider }: Payment): Promise<void> {
    if (this.directory.get(provider).keysHoldMs > 0) return;
    if (await this.operations.hasOpenRefund(tx, id)) throw new PaymentBusyError();
  }

  private async goOn(operation: ProviderOperation, caller: PaymentCaller): Promise<RefundDto> {
    if (operation.refund === null) throw new TypeError('The request has begun something else');
    return this.answer(operation.refund, await this.calls.resume(operation, causeOf(caller)));
  }

  private async answer(id: string, { outcome, failure }: CallResult): Promise<RefundDto> {
    if (failure !== undefined) throw new ProviderRefusedError(failure);
    return refundView(await this.refunds.get(id), outcome === 'unknown');
  }
}

/** @throws IllegalTransitionError, RefundExceedsCapturedError, PaymentDisputedError (409) */
function amountFor(
  payment: Payment,
  { amount }: NewRefundDto,
  from: Payment['settledTo'],
  refunds: RefundSums,
  disputes: DisputeSums,
): Money {
  if (payment.settledTo !== from) {
    throw new IllegalTransitionError(
      'refunded',
      payment.status,
      payment.settledTo === 'suspense' ? ', in review,' : '',
    );
  }
  const { minor: captured, currency } = settledAmountOf(payment);
  const refundable = Money.of(refundableOf(captured, refunds, disputes), currency);
  const wanted = amount === undefined ? refundable : Money.of(amount, currency);
  if (wanted.minor > 0n && wanted.minor <= refundable.minor) return wanted;
  const isThere = amount === undefined || BigInt(amount) <= captured - refunds.paid - refunds.reserved;
  if (disputes.open > 0 && isThere) throw new PaymentDisputedError(refundable);
  throw new RefundExceedsCapturedError(refundable);
}

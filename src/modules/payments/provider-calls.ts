import { Injectable, Logger } from '@nestjs/common';
import { LEDGER_LOCK, READ_COMMITTED, Transactor } from '../../platform/transaction/index.js';
import type { Currency } from '../../kernel/currency.js';
import { Money } from '../../kernel/money.js';
import { Charges } from './charges.js';
import { OperationsRepository } from './operations.repository.js';
import { amountOf } from './payment-books.js';
import type { Payment } from './payment.entity.js';
import type { ChangeCause, ChargeReport, PaymentFailure, RefundReport } from './payment.js';
import { PaymentMetrics } from './payment-metrics.js';
import {
  type ChargeRef,
  type NewCharge,
  NotExecutedError,
  OutcomeUnknownError,
  type PaymentProvider,
  type RefundRef,
  TurnedAwayError,
} from './payment-provider.js';
import { PaymentsRepository } from './payments.repository.js';
import { ProviderDirectory } from './provider-directory.js';
import type { OperationKind, OperationOutcome, ProviderOperation } from './provider-operation.entity.js';
import type { PaymentRefund } from './payment-refund.entity.js';
import { Refunds } from './refunds.js';
import { RefundsRepository } from './refunds.repository.js';

/** What became of a call. */
export interface CallResult {
  readonly outcome: Exclude<OperationOutcome, 'pending'>;
  /** Why the provider refused it. */
  readonly failure?: PaymentFailure;
  /** See `ChargeReport`. */
  readonly clientSecret?: string;
}

/** Milliseconds after which a call that the provider shows no sign of was never carried out: three times a call's deadline. */
const NEVER_CAME = 60_000;

type Report = { readonly charge: ChargeReport } | { readonly refund: RefundReport };

/**
 * Calls that change something at a provider. The row of the operation has committed before: with no transaction and no lock
 * held, the call is sent, and what comes of it is committed. When nobody knows what came of it, `resolve` asks.
 */
@Injectable()
export class ProviderCalls {
  private readonly logger = new Logger(ProviderCalls.name);

  constructor(
    private readonly transactor: Transactor,
    private readonly directory: ProviderDirectory,
    private readonly payments: PaymentsRepository,
    private readonly operations: OperationsRepository,
    private readonly refunds: RefundsRepository,
    private readonly charges: Charges,
    private readonly refundBooks: Refunds,
    private readonly metrics: PaymentMetrics,
  ) {}

  /** Sends a call whose operation has just been committed. */
  async send(operation: ProviderOperation, cause: ChangeCause): Promise<CallResult> {
    const payment = await this.paymentOf(operation);
    const provider = this.directory.get(payment.provider);
    return this.conclude(operation, payment, cause, () => this.call(provider, operation, payment));
  }

  /**
   * Finds out what became of a call. The provider is asked; where that says nothing yet, the same call is sent again under
   * its key, as long as that is certain to have one effect.
   */
  async resolve(operation: ProviderOperation, cause: ChangeCause): Promise<CallResult> {
    const payment = await this.paymentOf(operation);
    const provider = this.directory.get(payment.provider);
    const ageMs = await this.operations.ageMs(operation.id);
    return this.conclude(operation, payment, cause, async () => {
      const found = await this.find(provider, operation, payment);
      if (found !== undefined) return found;
      if (ageMs < provider.keysHoldMs) return this.callAgain(provider, operation, payment);
      if (ageMs < NEVER_CAME) return undefined;
      throw new NotExecutedError({
        code: 'not_executed',
        message: 'The call never reached the provider.',
      });
    });
  }

  /** Asks what became of the charge, and applies it. @returns undefined when the provider could not say */
  async refresh(payment: Payment, cause: ChangeCause): Promise<ChargeReport | undefined> {
    const provider = this.directory.get(payment.provider);
    try {
      const report = await provider.findCharge(await this.chargeRef(payment));
      if (report !== undefined) await this.apply({ charge: report }, payment, undefined, cause);
      return report;
    } catch (error) {
      this.logger.warn({ msg: 'The provider could not say how a payment stands', payment: payment.id, err: error });
      return undefined;
    }
  }

  /** Asks what became of a refund that was made, and applies it. @returns false when the provider could not say */
  async refreshRefund(operation: ProviderOperation, payment: Payment, cause: ChangeCause): Promise<boolean> {
    const provider = this.directory.get(payment.provider);
    try {
      const report = await this.find(provider, operation, payment);
      if (report !== undefined) await this.apply(report, payment, operation, cause);
      return report !== undefined;
    } catch (error) {
      this.logger.warn({ msg: 'The provider could not say how a refund stands', payment: payment.id, err: error });
      return false;
    }
  }

  private async conclude(
    operation: ProviderOperation,
    payment: Payment,
    cause: ChangeCause,
    work: () => Promise<Report | undefined>,
  ): Promise<CallResult> {
    const started = performance.now();
    const result = await this.outcomeOf(operation, payment, cause, work);
    this.metrics.called(payment.provider, operation.kind, result.outcome, (performance.now() - started) / 1000);
    return result;
  }

  private async outcomeOf(
    operation: ProviderOperation,
    payment: Payment,
    cause: ChangeCause,
    work: () => Promise<Report | undefined>,
  ): Promise<CallResult> {
    let report: Report | undefined;
    try {
      report = await work();
    } catch (error) {
      if (error instanceof NotExecutedError) {
        await this.refuse(operation, error.failure, cause);
        return { outcome: 'failed', failure: error.failure };
      }
      // Whatever else it was: the provider may have done it.
      this.logger.warn({
        msg: 'Nobody knows what became of a call',
        operation: operation.id,
        payment: payment.id,
        err: error,
      });
    }
    if (report === undefined) {
      await this.transactor.run(async (tx) => {
        await this.operations.finish(tx, operation.id, 'unknown');
        if (operation.outcome === 'pending') await this.payments.watch(tx, payment.id);
      }, READ_COMMITTED);
      return { outcome: 'unknown' };
    }
    await this.apply(report, payment, operation, cause);
    const { clientSecret } = 'charge' in report ? report.charge : {};
    return { outcome: 'succeeded', ...(clientSecret !== undefined && { clientSecret }) };
  }

  private async apply(
    report: Report,
    payment: Payment,
    operation: ProviderOperation | undefined,
    cause: ChangeCause,
  ): Promise<void> {
    await this.transactor.run(
      async (tx) => {
        if (operation !== undefined) await this.operations.finish(tx, operation.id, 'succeeded');
        if ('charge' in report) await this.charges.apply(tx, payment.id, report.charge, cause);
        else if (operation?.refund) await this.refundBooks.apply(tx, operation.refund, report.refund, cause);
      },
      // Only money that arrives or goes back is booked.
      'charge' in report && report.charge.status !== 'succeeded' ? {} : { lockTable: LEDGER_LOCK },
    );
  }

  private async refuse(operation: ProviderOperation, failure: PaymentFailure, cause: ChangeCause): Promise<void> {
    await this.transactor.run(
      async (tx) => {
        await this.operations.finish(tx, operation.id, 'failed', failure);
        if (operation.kind === 'create') await this.charges.refuse(tx, operation.payment, failure, cause);
        else if (operation.refund) await this.refundBooks.refuse(tx, operation.refund, failure, cause);
        else await this.payments.watch(tx, operation.payment, 0);
      },
      { lockTable: LEDGER_LOCK },
    );
  }

  private async callAgain(provider: PaymentProvider, operation: ProviderOperation, payment: Payment): Promise<Report> {
    try {
      return await this.call(provider, operation, payment);
    } catch (error) {
      if (error instanceof TurnedAwayError) throw new OutcomeUnknownError('The call was turned away this time', error);
      throw error;
    }
  }

  private async call(provider: PaymentProvider, operation: ProviderOperation, payment: Payment): Promise<Report> {
    const { id: key, kind } = operation;
    switch (kind) {
      case 'create':
        return { charge: await provider.create(chargeOf(payment), key) };
      case 'capture':
        return { charge: await provider.capture(await this.chargeRef(payment), capturedBy(operation, payment), key) };
      case 'cancel':
        return { charge: await provider.cancel(await this.chargeRef(payment), key) };
      case 'refund': {
        const refund = await this.refundRef(operation);
        return { refund: await provider.refund(await this.chargeRef(payment), refund, key) };
      }
    }
  }

  /** @returns undefined when the provider shows no sign of the call */
  private async find(
    provider: PaymentProvider,
    operation: ProviderOperation,
    payment: Payment,
  ): Promise<Report | undefined> {
    const { kind } = operation;
    const ref = await this.chargeRef(payment);
    if (kind === 'refund') {
      const refund = await provider.findRefund(ref, await this.refundRef(operation));
      return refund && { refund };
    }
    const charge = await provider.findCharge(ref);
    return charge && shows(charge, kind) ? { charge } : undefined;
  }

  private async chargeRef({ id, providerReference }: Payment): Promise<ChargeRef> {
    const creation = await this.operations.creationOf(id);
    return { payment: id, reference: providerReference, ageMs: await this.operations.ageMs(creation.id) };
  }

  private async refundRef({ id, refund: refundId }: ProviderOperation): Promise<RefundRef> {
    const refund: PaymentRefund = await this.refunds.get(refundId ?? '');
    return {
      refund: refund.id,
      reference: refund.providerReference,
      amount: amountOf(refund),
      ageMs: await this.operations.ageMs(id),
    };
  }

  private async paymentOf({ payment: id }: ProviderOperation): Promise<Payment> {
    const payment = await this.payments.find(id);
    if (payment === null) throw new Error(`The payment ${id} of an operation is not there`);
    return payment;
  }
}

const OVER: readonly ChargeReport['status'][] = ['succeeded', 'failed', 'canceled'];

/**
 * @returns false when the charge shows no sign of the call yet
 * @throws NotExecutedError when it cannot have been carried out, nor ever will be
 */
function shows({ status }: ChargeReport, kind: Exclude<OperationKind, 'refund'>): boolean {
  if (kind === 'create' || status === (kind === 'capture' ? 'succeeded' : 'canceled')) return true;
  if (!OVER.includes(status)) return false;
  throw new NotExecutedError({ code: `charge_${status}`, message: `The charge is ${status} at the provider.` });
}

function chargeOf(payment: Payment): NewCharge {
  return {
    payment: payment.id,
    amount: amountOf(payment),
    capture: payment.capture,
    email: payment.email ?? undefined,
    description: payment.description ?? undefined,
    providerPaymentMethod: payment.providerPaymentMethod ?? undefined,
  };
}

function capturedBy({ amount }: ProviderOperation, payment: Payment): Money {
  return amount === null ? amountOf(payment) : Money.of(BigInt(amount), payment.currency as Currency);
}

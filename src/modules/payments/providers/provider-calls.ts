import { Injectable, Logger } from '@nestjs/common';
import { LEDGER_LOCK, READ_COMMITTED, Transactor } from '../../../platform/transaction/index.js';
import type { Money } from '../../../kernel/money.js';
import { ChargeReports } from '../charges/charge-reports.js';
import { ChargeSettling } from '../charges/charge-settling.js';
import { OperationsRepository } from './operations.repository.js';
import { amountOf } from '../payment-books.js';
import type { Payment } from '../payment.entity.js';
import type { ChangeCause, ChargeReport, PaymentFailure, RefundReport } from '../payment.js';
import { PaymentMetrics } from '../payment-metrics.js';
import {
  type ChargeRef,
  type NewCharge,
  NotExecutedError,
  OutcomeUnknownError,
  type PaymentProvider,
  type RefundRef,
  TurnedAwayError,
} from './payment-provider.js';
import { PaymentsRepository } from '../payments.repository.js';
import { ProviderDirectory } from './provider-directory.js';
import {
  isOpen,
  type OperationKind,
  type OperationOutcome,
  type ProviderOperation,
} from './provider-operation.entity.js';
import { RefundReports } from '../refunds/refund-reports.js';
import { RefundsRepository } from '../refunds/refunds.repository.js';

/** What became of a call. */
export interface CallResult {
  readonly outcome: Exclude<OperationOutcome, 'pending'>;
  /** Why the provider refused it. */
  readonly failure?: PaymentFailure;
  /** See `ChargeReport`. */
  readonly clientSecret?: string;
}

/** Milliseconds a call may take before somebody else asks what became of it: its deadline, and the commits around it. */
export const CALL_MS = 30_000;
/** Milliseconds after which a call that the provider shows no sign of was never carried out: three times a call's deadline. */
const NEVER_CAME = 60_000;
/** Milliseconds within which a call is sent, or not at all. */
const SENT_WITHIN = 20_000;

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
    private readonly charges: ChargeReports,
    private readonly settling: ChargeSettling,
    private readonly refundReports: RefundReports,
    private readonly metrics: PaymentMetrics,
  ) {}

  /**
   * Sends a call whose operation has just been committed.
   *
   * @param begunAt when that began, by `performance.now()`: a process that stood still since then sends nothing any more, because
   *   somebody else may have found that the call never came
   */
  async send(id: string, cause: ChangeCause, begunAt: number): Promise<CallResult> {
    const operation = await this.operations.get(id);
    const payment = await this.paymentOf(operation);
    const provider = this.directory.get(payment.provider);
    return this.conclude(operation, payment, cause, async () =>
      performance.now() - begunAt < SENT_WITHIN ? this.call(provider, operation, payment) : undefined,
    );
  }

  /** Goes on from what an earlier attempt at the same request has begun. */
  async resume(operation: ProviderOperation, cause: ChangeCause): Promise<CallResult> {
    const { outcome, failure } = operation;
    return isOpen(outcome) ? this.resolve(operation, cause) : { outcome, ...(failure && { failure }) };
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

  /** Asks what became of the charge, and applies it. @returns undefined when there is none; 'unknown' when the provider could not say */
  async refresh(payment: Payment, cause: ChangeCause): Promise<ChargeReport | 'unknown' | undefined> {
    const provider = this.directory.get(payment.provider);
    try {
      const report = await provider.findCharge(await this.chargeRef(payment));
      if (report !== undefined) await this.apply({ charge: report }, payment, undefined, cause);
      return report;
    } catch (error) {
      this.logger.warn({ msg: 'The provider could not say how a payment stands', payment: payment.id, err: error });
      return 'unknown';
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
      if (error instanceof NotExecutedError) return this.refuse(operation, error.failure, cause);
      // Whatever else it was: the provider may have done it.
      this.warn('Nobody knows what became of a call', operation, error);
    }
    try {
      if (report === undefined) return await this.leaveOpen(operation);
      await this.apply(report, payment, operation, cause);
    } catch (error) {
      // It may have been carried out, and the request must not look as if nothing had happened: it is found out again later.
      this.warn('What became of a call could not be recorded yet', operation, error);
      return this.leaveOpen(operation).catch(() => ({ outcome: 'unknown' as const }));
    }
    const { clientSecret } = 'charge' in report ? report.charge : {};
    return { outcome: 'succeeded', ...(clientSecret !== undefined && { clientSecret }) };
  }

  private async leaveOpen(operation: ProviderOperation): Promise<CallResult> {
    await this.transactor.run(async (tx) => {
      // The payment first, as everywhere.
      await this.payments.lock(tx, operation.payment);
      await this.operations.finish(tx, operation.id, 'unknown');
      if (operation.outcome === 'pending') await this.payments.watch(tx, operation.payment);
    }, READ_COMMITTED);
    return { outcome: 'unknown' };
  }

  private async apply(
    report: Report,
    payment: Payment,
    operation: ProviderOperation | undefined,
    cause: ChangeCause,
  ): Promise<void> {
    if ('charge' in report && report.charge.status === 'succeeded') {
      await this.settling.settle({ payment: payment.id, report: report.charge, cause, operation: operation?.id });
      return;
    }
    await this.transactor.run(
      async (tx) => {
        if ('charge' in report) await this.charges.apply(tx, payment.id, report.charge, cause);
        else if (operation?.refund) await this.refundReports.apply(tx, operation.refund, report.refund, cause);
        if (operation !== undefined) await this.operations.finish(tx, operation.id, 'succeeded');
      },
      // Only money that arrives or goes back is booked.
      'charge' in report ? READ_COMMITTED : { lockTable: LEDGER_LOCK },
    );
  }

  /** What somebody else has found out meanwhile stands. */
  private async refuse(operation: ProviderOperation, failure: PaymentFailure, cause: ChangeCause): Promise<CallResult> {
    const { id, kind, payment, refund } = operation;
    const isRefused = await this.transactor.run(
      async (tx) => {
        await this.payments.lock(tx, payment);
        if (!(await this.operations.finish(tx, id, 'failed', failure))) return false;
        if (kind === 'create') await this.charges.refuse(tx, payment, failure, cause);
        else if (refund) await this.refundReports.refuse(tx, refund, failure, cause);
        else await this.payments.look(tx, payment);
        return true;
      },
      { lockTable: LEDGER_LOCK },
    );
    if (isRefused) return { outcome: 'failed', failure };
    const { outcome, failure: found } = await this.operations.get(id);
    return { outcome: outcome === 'pending' ? 'unknown' : outcome, ...(found && { failure: found }) };
  }

  private warn(msg: string, { id, payment }: ProviderOperation, error: unknown): void {
    this.logger.warn({ msg, operation: id, payment, err: error });
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
        return { charge: await provider.create(chargeOf(payment, provider), key) };
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
      const refund = await answerTo(provider.findRefund(ref, await this.refundRef(operation)));
      return refund && { refund };
    }
    const charge = await answerTo(provider.findCharge(ref));
    return charge && shows(charge, kind) ? { charge } : undefined;
  }

  /** What a provider needs to know to find the charge of a payment. */
  async chargeRef({ id, providerReference }: Payment): Promise<ChargeRef> {
    const creation = await this.operations.creationOf(id);
    return { payment: id, reference: providerReference, ageMs: await this.operations.ageMs(creation.id) };
  }

  private async refundRef({ id, refund: refundId }: ProviderOperation): Promise<RefundRef> {
    if (refundId === null) throw new TypeError('Only a refund has one');
    const refund = await this.refunds.get(refundId);
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

/** That a question could not be asked says nothing about the call it is about. */
async function answerTo<Answer>(question: Promise<Answer>): Promise<Answer> {
  try {
    return await question;
  } catch (error) {
    if (error instanceof NotExecutedError) throw new OutcomeUnknownError(error.message, error);
    throw error;
  }
}

const ENDED: readonly ChargeReport['status'][] = ['succeeded', 'failed', 'canceled'];

/**
 * @returns false when the charge shows no sign of the call yet
 * @throws NotExecutedError when it cannot have been carried out, nor ever will be
 */
function shows({ status }: ChargeReport, kind: Exclude<OperationKind, 'refund'>): boolean {
  if (kind === 'create' || status === (kind === 'capture' ? 'succeeded' : 'canceled')) return true;
  if (!ENDED.includes(status)) return false;
  throw new NotExecutedError({ code: `charge_${status}`, message: `The charge is ${status} at the provider.` });
}

/** What a rule holds back is authorised only, where the provider can, whatever was asked for. */
function chargeOf(payment: Payment, { canAuthorize }: PaymentProvider): NewCharge {
  return {
    payment: payment.id,
    amount: amountOf(payment),
    capture: payment.heldFor !== null && canAuthorize ? 'manual' : payment.capture,
    email: payment.email ?? undefined,
    description: payment.description ?? undefined,
    providerPaymentMethod: payment.providerPaymentMethod ?? undefined,
  };
}

function capturedBy({ amount }: ProviderOperation, payment: Payment): Money {
  return amount === null ? amountOf(payment) : amountOf({ amount, currency: payment.currency });
}

import { Injectable } from '@nestjs/common';
import { isUuid } from '../../../kernel/ids.js';
import { Money } from '../../../kernel/money.js';
import { isDecided } from '../disputes/dispute.js';
import { DisputesRepository } from '../disputes/disputes.repository.js';
import { OperationsRepository } from '../providers/operations.repository.js';
import { amountOf } from '../payment-books.js';
import { isPaymentId, type PaymentId } from '../payment.js';
import type { ChargeRef } from '../providers/payment-provider.js';
import { PaymentsRepository } from '../payments.repository.js';
import { ProviderDirectory } from '../providers/provider-directory.js';
import { RefundsRepository } from '../refunds/refunds.repository.js';
import type { PostingOwner } from './comparison.js';

/** What is asked about: the charge of a payment, a refund of it, or what a dispute moved. */
export interface Known {
  readonly payment: PaymentId;
  readonly refund: string | null;
  /** Both as the provider calls them. */
  readonly movement?: { readonly dispute: string; readonly key: string };
}

/** A dispute whose money goes by a refund, both by the provider's ids: one loss that shows twice. */
export interface PaidDispute {
  readonly dispute: string;
  readonly refund: string;
}

/** What the provider says about one. */
export interface Provided {
  /** False when it knows no such object, or could not be asked: `note` says which. */
  readonly known: boolean;
  /** What its balance gained by it, all in all; undefined when nobody knows. */
  readonly moved: Money | undefined;
  /** It has moved money, or never will. */
  readonly isOver: boolean;
  readonly note: string | null;
}

/** Asks a provider about single charges, refunds and disputes, and changes nothing. */
@Injectable()
export class ProviderQuestions {
  constructor(
    private readonly directory: ProviderDirectory,
    private readonly payments: PaymentsRepository,
    private readonly refunds: RefundsRepository,
    private readonly disputes: DisputesRepository,
    private readonly operations: OperationsRepository,
  ) {}

  /** @returns undefined when there is none with that id */
  async ownerOf(owner: PostingOwner): Promise<Known | undefined> {
    const { kind, id } = owner;
    if (!isUuid(id)) return undefined;
    if (kind === 'dispute') {
      const dispute = await this.disputes.find(id);
      if (dispute === null) return undefined;
      return {
        payment: dispute.payment,
        refund: null,
        movement: { dispute: dispute.providerReference, key: owner.key },
      };
    }
    if (kind === 'refund') {
      const refund = await this.refunds.find(id);
      return refund === null ? undefined : { payment: refund.payment, refund: refund.id };
    }
    const payment = isPaymentId(id) ? await this.payments.find(id) : null;
    return payment === null ? undefined : { payment: payment.id, refund: null };
  }

  /** Never throws: what could not be found out is a note. */
  async ask({ payment, refund, movement }: Known): Promise<Provided> {
    try {
      if (movement !== undefined) return await this.askForDispute(payment, movement);
      return refund === null ? await this.askForCharge(payment) : await this.askForRefund(payment, refund);
    } catch (error) {
      return { ...UNKNOWN, note: error instanceof Error ? error.message.slice(0, 500) : String(error) };
    }
  }

  private async askForCharge(id: PaymentId): Promise<Provided> {
    const { provider, ref } = await this.chargeOf(id);
    const charge = await provider.findCharge(ref);
    if (charge === undefined) return { ...UNKNOWN, note: 'The provider has no such charge' };
    const { received, status } = charge;
    return { known: true, moved: received, isOver: status === 'succeeded', note: `At the provider it is ${status}` };
  }

  private async askForRefund(payment: PaymentId, id: string): Promise<Provided> {
    const { provider, ref } = await this.chargeOf(payment);
    const refund = await this.refunds.get(id);
    const call = await this.operations.callOf(id);
    const found = await provider.findRefund(ref, {
      refund: refund.id,
      reference: refund.providerReference,
      amount: amountOf(refund),
      ageMs: call === null ? Infinity : await this.operations.ageMs(call.id),
    });
    if (found === undefined) return { ...UNKNOWN, note: 'The provider has no such refund' };
    const { status, amount } = found;
    const moved = status === 'succeeded' ? amount.negate() : Money.of(0, amount.currency);
    return { known: true, moved, isOver: status === 'succeeded', note: `At the provider it is ${status}` };
  }

  private async askForDispute(
    payment: PaymentId,
    { dispute: reference, key }: NonNullable<Known['movement']>,
  ): Promise<Provided> {
    const { provider, ref } = await this.chargeOf(payment);
    const dispute = (await provider.findReturns(ref)).disputes.find((each) => each.reference === reference);
    if (dispute === undefined) return { ...UNKNOWN, note: 'The provider has no such dispute' };
    const { status, providerStatus, amount, movements } = dispute;
    const found = movements.find((each) => each.key === key);
    const moved =
      found === undefined
        ? Money.of(0, amount.currency)
        : found.kind === 'withdrawn'
          ? found.amount.negate()
          : found.amount;
    return { known: true, moved, isOver: isDecided(status), note: `At the provider it is ${providerStatus}` };
  }

  /** @throws what `PaymentProvider.findReturns` throws */
  async paidDisputes(payment: PaymentId): Promise<PaidDispute[]> {
    const { provider, ref } = await this.chargeOf(payment);
    const { disputes } = await provider.findReturns(ref);
    return disputes.flatMap(({ reference, paidBy }) =>
      paidBy === undefined ? [] : { dispute: reference, refund: paidBy },
    );
  }

  private async chargeOf(id: PaymentId) {
    const payment = await this.payments.find(id);
    if (payment === null) throw new Error('There is no such payment');
    const creation = await this.operations.creationOf(id);
    const ageMs = await this.operations.ageMs(creation.id);
    const ref: ChargeRef = { payment: id, reference: payment.providerReference, ageMs };
    return { provider: this.directory.get(payment.provider), ref };
  }
}

const UNKNOWN = { known: false, moved: undefined, isOver: false } as const;

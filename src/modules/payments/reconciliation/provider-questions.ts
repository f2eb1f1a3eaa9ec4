import { Injectable } from '@nestjs/common';
import { isUuid } from '../../../kernel/ids.js';
import { Money } from '../../../kernel/money.js';
import { OperationsRepository } from '../operations.repository.js';
import { amountOf } from '../payment-books.js';
import { isPaymentId, type PaymentId } from '../payment.js';
import type { ChargeRef } from '../payment-provider.js';
import { PaymentsRepository } from '../payments.repository.js';
import { ProviderDirectory } from '../provider-directory.js';
import { RefundsRepository } from '../refunds.repository.js';

/** A charge or a refund of ours. */
export interface Known {
  readonly payment: PaymentId;
  readonly refund: string | null;
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

/** Asks a provider about single charges and refunds, and changes nothing. */
@Injectable()
export class ProviderQuestions {
  constructor(
    private readonly directory: ProviderDirectory,
    private readonly payments: PaymentsRepository,
    private readonly refunds: RefundsRepository,
    private readonly operations: OperationsRepository,
  ) {}

  /** @returns undefined when there is none with that id */
  async ownerOf({ kind, id }: { readonly kind: 'charge' | 'refund'; readonly id: string }): Promise<Known | undefined> {
    if (!isUuid(id)) return undefined;
    if (kind === 'refund') {
      const refund = await this.refunds.find(id);
      return refund === null ? undefined : { payment: refund.payment, refund: refund.id };
    }
    const payment = isPaymentId(id) ? await this.payments.find(id) : null;
    return payment === null ? undefined : { payment: payment.id, refund: null };
  }

  /** Never throws: what could not be found out is a note. */
  async ask({ payment, refund }: Known): Promise<Provided> {
    try {
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

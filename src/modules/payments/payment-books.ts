import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Money } from '../../kernel/money.js';
import type { Currency } from '../../kernel/currency.js';
import {
  type AccountKey,
  type JoinedRequest,
  Ledger,
  PAYMENT_CATEGORY,
  type SystemOwner,
  systemAccount,
  userAccount,
} from '../ledger/index.js';
import type { Settlement } from './charges/charge-state.js';
import type { DisputeMovement } from './disputes/dispute-movement.entity.js';
import type { DisputeMovementReport } from './disputes/dispute.js';
import type { PaymentRefund, RefundOrigin } from './refunds/payment-refund.entity.js';
import type { PaymentMode, PaymentProviderName } from './payment.js';
import type { Payment } from './payment.entity.js';

/** Money of a payment on its way, for the ledger. */
interface Movement {
  readonly kind: 'CREDIT' | 'DEBIT' | 'TRANSFER';
  readonly debit: AccountKey;
  readonly credit: AccountKey;
  readonly amount: Money;
  /** Unique for good: what was posted under it is not posted again. */
  readonly reference: string;
  readonly description: string;
  /** It has left the provider already: it is the user's loss, also where the wallet does not have it any more. */
  readonly isGone?: boolean;
}

/** Money that a charge brought, and who says so. */
export interface ChargeToSettle {
  readonly payment: Payment;
  readonly settlement: Settlement;
  readonly actor: string;
}

/**
 * What payments and refunds do to the books. A clearing account per provider, mode and currency mirrors what the provider holds
 * for us: together with its balance there it is zero.
 *
 * All of it is posted in the caller's transaction, which begins with `LEDGER_LOCK`.
 */
@Injectable()
export class PaymentBooks {
  constructor(private readonly ledger: Ledger) {}

  /** @returns of each, where the money went in the end: a wallet that takes none leaves it in suspense */
  async settle(tx: EntityManager, charges: readonly ChargeToSettle[]): Promise<Settlement[]> {
    const refusals = await this.postAll(tx, charges.map(settling));
    const results = charges.map(({ settlement }, index): Settlement => {
      const refusal = refusals[index];
      if (refusal === undefined) return settlement;
      if (settlement.to === 'suspense') throw refusal;
      return { ...settlement, to: 'suspense', review: `The wallet did not take it: ${refusal.message}` };
    });
    const left = charges.flatMap(({ payment, actor }, index) => {
      const settlement = results[index];
      return settlement && refusals[index] ? [{ payment, settlement, actor }] : [];
    });
    for (const refusal of await this.postAll(tx, left.map(settling))) if (refusal) throw refusal;
    return results;
  }

  /** Money that waited in suspense is the user's. @throws the ledger's refusal, for example AccountFrozenError (409) */
  release(tx: EntityManager, payment: Payment, amount: Money, actor: string): Promise<void> {
    return this.mustPost(
      tx,
      {
        kind: 'CREDIT',
        debit: systemAccount('suspense', amount.currency),
        credit: userAccount(payment.userId, amount.currency),
        amount,
        reference: `release:${payment.id}`,
        description: `Payment ${payment.id}, approved`,
      },
      actor,
    );
  }

  /**
   * Sets a refund's money aside. Of one that was made at the provider the money is gone: what the wallet lacks is debt.
   *
   * @throws the ledger's refusal, for example InsufficientFundsError (402)
   */
  reserve(
    tx: EntityManager,
    payment: Payment,
    refund: { id: string; amount: Money; origin?: RefundOrigin },
    actor: string,
  ): Promise<void> {
    const { currency } = refund.amount;
    return this.mustPost(
      tx,
      {
        kind: 'DEBIT',
        isGone: refund.origin === 'provider',
        debit: homeOf(payment, currency),
        credit: systemAccount('refunds_in_transit', currency),
        amount: refund.amount,
        reference: `refund:${refund.id}`,
        description: `Refund of payment ${payment.id}`,
      },
      actor,
    );
  }

  /** The customer has it. */
  payOut(tx: EntityManager, payment: Payment, refund: PaymentRefund, actor: string): Promise<void> {
    const amount = amountOf(refund);
    return this.mustPost(
      tx,
      {
        kind: 'TRANSFER',
        debit: systemAccount('refunds_in_transit', amount.currency),
        credit: clearingOf(payment, amount.currency),
        amount,
        reference: `refund-paid:${refund.id}`,
        description: `Refund of payment ${payment.id}, paid`,
      },
      actor,
    );
  }

  /**
   * It failed, before or after it had been paid: the money goes back where it came from.
   *
   * @returns why the wallet did not take it, so that it is in suspense
   */
  async giveBack(
    tx: EntityManager,
    payment: Payment,
    refund: PaymentRefund,
    actor: string,
  ): Promise<Error | undefined> {
    const amount = amountOf(refund);
    const { currency } = amount;
    const movement = {
      kind: 'CREDIT',
      debit: refund.booking === 'paid' ? clearingOf(payment, currency) : systemAccount('refunds_in_transit', currency),
      amount,
      reference: `refund-returned:${refund.id}`,
      description: `Refund of payment ${payment.id}, returned`,
    } as const;
    const refusal = await this.post(tx, { ...movement, credit: homeOf(payment, currency) }, actor);
    if (refusal) await this.mustPost(tx, { ...movement, credit: systemAccount('suspense', currency) }, actor);
    return refusal;
  }

  /** What the wallet did not take back when it failed is the user's after all. @throws the ledger's refusal */
  releaseRefund(tx: EntityManager, payment: Payment, refund: PaymentRefund, actor: string): Promise<void> {
    const amount = amountOf(refund);
    return this.mustPost(
      tx,
      {
        kind: 'CREDIT',
        debit: systemAccount('suspense', amount.currency),
        credit: userAccount(payment.userId, amount.currency),
        amount,
        reference: `refund-released:${refund.id}`,
        description: `Refund of payment ${payment.id}, released`,
      },
      actor,
    );
  }

  /**
   * What a dispute took or gave back at the provider: from and to where the payment's money is, straight against clearing, so that the
   * books say at any moment what the provider holds.
   *
   * @returns where the money was taken from, or put; with `refusal`, it is in suspense because the wallet did not take it back
   */
  async moveDisputed(
    tx: EntityManager,
    payment: Payment,
    { dispute, key, kind, amount }: DisputeMovementReport & { dispute: string },
    actor: string,
  ): Promise<{ account: 'wallet' | 'suspense'; refusal?: Error }> {
    const { currency } = amount;
    const [home, clearing] = [homeOf(payment, currency), clearingOf(payment, currency)];
    const account = home.kind === 'user' ? 'wallet' : 'suspense';
    const movement = {
      amount,
      reference: `dispute:${dispute}:${key}`,
      description: `Dispute of payment ${payment.id}, funds ${kind}`,
    };
    if (kind === 'withdrawn') {
      await this.mustPost(tx, { ...movement, kind: 'DEBIT', debit: home, credit: clearing, isGone: true }, actor);
      return { account };
    }
    const refusal = await this.post(tx, { ...movement, kind: 'CREDIT', debit: clearing, credit: home }, actor);
    if (refusal === undefined) return { account };
    const credit = systemAccount('suspense', currency);
    await this.mustPost(tx, { ...movement, kind: 'CREDIT', debit: clearing, credit }, actor);
    return { account: 'suspense', refusal };
  }

  /** What the wallet did not take back when a dispute gave it is the user's after all. @throws the ledger's refusal */
  releaseDisputed(
    tx: EntityManager,
    payment: Payment,
    { dispute, key, amount, currency }: DisputeMovement,
    actor: string,
  ): Promise<void> {
    const money = amountOf({ amount, currency });
    return this.mustPost(
      tx,
      {
        kind: 'CREDIT',
        debit: systemAccount('suspense', money.currency),
        credit: userAccount(payment.userId, money.currency),
        amount: money,
        reference: `dispute-released:${dispute}:${key}`,
        description: `Dispute of payment ${payment.id}, released`,
      },
      actor,
    );
  }

  /** @returns why the ledger refused it */
  private async post(tx: EntityManager, movement: Movement, actor: string): Promise<Error | undefined> {
    const [refusal] = await this.postAll(tx, [{ movement, actor }]);
    return refusal;
  }

  /** @returns of each, why the ledger refused it */
  private async postAll(
    tx: EntityManager,
    all: readonly { readonly movement: Movement; readonly actor: string }[],
  ): Promise<(Error | undefined)[]> {
    if (all.length === 0) return [];
    const requests = all.map(({ movement: { isGone = false, ...movement }, actor }): JoinedRequest => {
      const shortfall = isGone && movement.debit.kind === 'user' ? 'debt' : undefined;
      const posting = { type: 'transfer', ...movement, shortfall, category: PAYMENT_CATEGORY } as const;
      return { postings: [posting], mode: 'atomic', by: { actor } };
    });
    const outcomes = await this.ledger.postAll(tx, requests);
    return outcomes.map(([outcome]) => (outcome !== undefined && 'refused' in outcome ? outcome.refused : undefined));
  }

  private async mustPost(tx: EntityManager, movement: Movement, actor: string): Promise<void> {
    const refusal = await this.post(tx, movement, actor);
    if (refusal) throw refusal;
  }
}

function settling({ payment, settlement: { amount, to }, actor }: ChargeToSettle): {
  movement: Movement;
  actor: string;
} {
  const { currency } = amount;
  const movement: Movement = {
    kind: 'CREDIT',
    debit: clearingOf(payment, currency),
    credit: to === 'wallet' ? userAccount(payment.userId, currency) : systemAccount('suspense', currency),
    amount,
    reference: `settle:${payment.id}`,
    description: `Payment ${payment.id}`,
  };
  return { movement, actor };
}

/** Of the account that mirrors what a provider holds for us. */
export function clearingOwner(provider: PaymentProviderName, mode: PaymentMode): SystemOwner {
  return `clearing:${provider}:${mode}`;
}

function clearingOf({ provider, mode }: Payment, currency: Currency): AccountKey {
  return systemAccount(clearingOwner(provider, mode), currency);
}

/** Where a settled payment's money is; in another currency than it was received in the user has no part in it. */
function homeOf({ settledTo, settledCurrency, userId }: Payment, currency: Currency): AccountKey {
  return settledTo === 'suspense' || settledCurrency !== currency
    ? systemAccount('suspense', currency)
    : userAccount(userId, currency);
}

/** @throws TypeError for a payment that is not settled */
export function settledAmountOf({ settledAmount, settledCurrency }: Payment): Money {
  if (settledAmount === null || settledCurrency === null) throw new TypeError('The payment is not settled');
  return amountOf({ amount: settledAmount, currency: settledCurrency });
}

export function amountOf({ amount, currency }: { amount: string; currency: string }): Money {
  return Money.of(BigInt(amount), currency as Currency);
}

import type { Stripe } from 'stripe';
import { type Parameters, StripeRefusal } from './stripe-parameters.js';

/** What reconciliation reads of the sources; the compiler compares them with Stripe's types. */
export type ChargeSource = Pick<
  Stripe.Charge,
  'id' | 'object' | 'amount' | 'amount_captured' | 'currency' | 'livemode' | 'metadata' | 'payment_intent' | 'status'
>;
type Source = ChargeSource | Stripe.Dispute | Stripe.Refund;

/** A balance transaction, and the object that it is of as that is now. */
interface Entry {
  readonly transaction: Omit<Stripe.BalanceTransaction, 'source'>;
  readonly source: Source | null;
}

/** 2.9 % and 30 cents, as Stripe says of cards in the United States. */
const feeOf = (amount: number) => (amount > 0 ? Math.round(amount * 0.029) + 30 : 0);

/** The balance of a Stripe account, and the list of what moved on it. */
export class StripeBalance {
  private readonly entries: Entry[] = [];
  private last = 0;

  /** @param as what is another in the transaction than usual */
  add(
    type: Stripe.BalanceTransaction.Type,
    source: Source | null,
    amount: number,
    as: Partial<Stripe.BalanceTransaction> = {},
  ): Omit<Stripe.BalanceTransaction, 'source'> {
    const created = Math.floor(Date.now() / 1000);
    const fee = type === 'charge' ? feeOf(amount) : 0;
    const transaction = {
      id: `txn_${String(++this.last).padStart(24, '0')}`,
      object: 'balance_transaction',
      amount,
      available_on: created + 2 * 86_400,
      balance_type: 'payments',
      created,
      currency: source?.currency ?? 'usd',
      description: null,
      exchange_rate: null,
      fee,
      fee_details:
        fee === 0
          ? []
          : [{ amount: fee, application: null, currency: 'usd', description: 'Stripe fees', type: 'stripe_fee' }],
      net: amount - fee,
      reporting_category: type,
      status: 'pending',
      type,
      ...as,
    } satisfies Omit<Stripe.BalanceTransaction, 'source'>;
    this.entries.push({ transaction, source });
    return transaction;
  }

  /** What moved for an object, to be made another than it should be. */
  of(id: unknown): Omit<Stripe.BalanceTransaction, 'source'>[] {
    return this.entries.filter(({ source }) => source?.id === id).map(({ transaction }) => transaction);
  }

  /** It is not in the list any more. */
  forget(id: unknown): void {
    const kept = this.entries.filter(({ source }) => source?.id !== id);
    this.entries.splice(0, this.entries.length, ...kept);
  }

  /** Oldest first. @throws StripeRefusal */
  shown({ expand = {} }: Parameters): (Stripe.BalanceTransaction & { source: unknown })[] {
    const wanted = typeof expand === 'string' ? [expand] : Object.values(expand);
    const stranger = wanted.find((path) => path !== 'data.source');
    if (stranger !== undefined) {
      throw StripeRefusal.invalid(`This property cannot be expanded (${JSON.stringify(stranger)}).`, {
        param: 'expand',
      });
    }
    return this.entries.map(({ transaction, source }) => ({
      ...transaction,
      // As expanded objects are: whole, and as they are now.
      source: (wanted.length > 0
        ? structuredClone(source)
        : (source?.id ?? null)) as Stripe.BalanceTransaction['source'],
    }));
  }
}

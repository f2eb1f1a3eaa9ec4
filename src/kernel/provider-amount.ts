import { ValidationError } from './app-error.js';
import { type Currency, minorUnitsOf } from './currency.js';
import { MAX_AMOUNT, Money } from './money.js';

export type AmountProvider = 'stripe' | 'paystack';

/**
 * Digits after the point in amounts of Stripe, where they are not those of ISO 4217; null where Stripe names none.
 *
 * https://docs.stripe.com/currencies, "Zero-decimal currencies" and "Special cases": MGA is sent without minor unit, ISK and
 * UGX with two digits that are always 00 (UGX stands in the list of zero-decimal currencies as well: the special case holds).
 * HUF and TWD have two digits in charges, and whole units only in payouts.
 */
const STRIPE: Partial<Record<Currency, number | null>> = {
  MGA: 0,
  ISK: 2,
  UGX: 2,
  IQD: null,
  LYD: null,
  CLF: null,
  UYW: null,
  UYI: null,
};

/** https://paystack.com/docs/api/#supported-currency: amounts are in the subunit, a hundredth of each of these. */
const PAYSTACK: ReadonlySet<Currency> = new Set<Currency>(['NGN', 'GHS', 'ZAR', 'KES', 'USD']);

/**
 * Money as a provider writes it, to the last digit.
 *
 * @throws ValidationError (400) for what the provider cannot carry: ask before any call
 */
export function toProviderAmount(provider: AmountProvider, money: Money): number {
  const { minor, currency } = money;
  const digits = providerDigits(provider, currency);
  const amount = withDigits(minor, minorUnitsOf(currency), digits);
  // "Three-decimal currencies", as above: the card networks take two digits, so the last one must be 0.
  const isTooFine = provider === 'stripe' && digits === 3 && minor % 10n !== 0n;
  if (amount === undefined || isTooFine || amount > MAX_AMOUNT || amount < -MAX_AMOUNT) {
    throw new ValidationError(`${provider} cannot carry ${money.toDecimal()} ${currency}.`);
  }
  return Number(amount);
}

/**
 * What a provider says, as money.
 *
 * @param amount an integer, as the provider writes it
 * @throws ValidationError for an amount finer than the currency's minor unit, and for a currency the provider does not have
 */
export function fromProviderAmount(provider: AmountProvider, amount: bigint | number, currency: Currency): Money {
  const minor = withDigits(BigInt(amount), providerDigits(provider, currency), minorUnitsOf(currency));
  if (minor === undefined) {
    throw new ValidationError(`${amount} of ${provider} is no whole number of minor units in ${currency}.`);
  }
  return Money.of(minor, currency);
}

function providerDigits(provider: AmountProvider, currency: Currency): number {
  const own = provider === 'stripe' ? STRIPE[currency] : PAYSTACK.has(currency) ? 2 : null;
  if (own === null) throw new ValidationError(`${provider} does not take ${currency}.`);
  return own ?? minorUnitsOf(currency);
}

/** The same amount with more or fewer digits after the point; undefined when one of those dropped is not 0. */
function withDigits(amount: bigint, before: number, after: number): bigint | undefined {
  if (after >= before) return amount * 10n ** BigInt(after - before);
  const dropped = 10n ** BigInt(before - after);
  return amount % dropped === 0n ? amount / dropped : undefined;
}

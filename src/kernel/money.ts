import { isCurrency, minorUnitDigits } from './currency.js';

/** The largest amount the API can say exactly: JSON numbers are doubles. */
export const MAX_AMOUNT = BigInt(Number.MAX_SAFE_INTEGER);

/** An exact amount of a currency in its minor units. Immutable; a float never touches it. */
export class Money {
  private constructor(
    /** Minor units, may be below zero. */
    readonly amount: bigint,
    /** ISO 4217, upper case. */
    readonly currency: string,
  ) {
    Object.freeze(this);
  }

  /**
   * @param amount minor units; a number must be an integer within ±(2^53 − 1)
   * @throws RangeError for an inexact number or an unknown currency
   */
  static of(amount: bigint | number, currency: string): Money {
    if (!isCurrency(currency)) throw new RangeError(`${currency} is not a currency of ISO 4217`);
    if (typeof amount === 'number' && !Number.isSafeInteger(amount)) {
      throw new RangeError(`${amount} is not an exact number of minor units`);
    }
    return new Money(BigInt(amount), currency);
  }

  /** @throws RangeError when the currencies differ */
  plus(other: Money): Money {
    return new Money(this.amount + this.amountOf(other), this.currency);
  }

  /** @throws RangeError when the currencies differ */
  minus(other: Money): Money {
    return new Money(this.amount - this.amountOf(other), this.currency);
  }

  negated(): Money {
    return new Money(-this.amount, this.currency);
  }

  equals(other: Money): boolean {
    return this.amount === other.amount && this.currency === other.currency;
  }

  /** As people write it, with the currency's digits: `12.50 USD`, `-0.05 USD`, `700 JPY`. */
  toString(): string {
    const digits = minorUnitDigits(this.currency);
    const sign = this.amount < 0n ? '-' : '';
    const text = String(this.amount < 0n ? -this.amount : this.amount).padStart(digits + 1, '0');
    const whole = text.slice(0, text.length - digits);
    return `${sign}${whole}${digits === 0 ? '' : `.${text.slice(-digits)}`} ${this.currency}`;
  }

  private amountOf(other: Money): bigint {
    if (other.currency !== this.currency) {
      throw new RangeError(`${other.currency} cannot be reckoned with ${this.currency}`);
    }
    return other.amount;
  }
}

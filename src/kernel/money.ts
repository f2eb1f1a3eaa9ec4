import { ValidationError } from './app-error.js';
import { type Currency, minorUnitsOf } from './currency.js';

/** The largest amount and balance, in minor units: what the API can say exactly, as JSON numbers are doubles. */
export const MAX_AMOUNT = BigInt(Number.MAX_SAFE_INTEGER);

/** No more digits before the point than `MAX_AMOUNT` has: what is longer need not be read. */
const DECIMAL = /^(-?)(\d{1,16})(?:\.(\d+))?$/;

/**
 * Below it an amount has at most 15 digits, and every decimal of 15 digits has a double of its own (DBL_DIG), which prints as
 * it was written. Beyond it, two amounts may have the same.
 */
const BEYOND_A_DOUBLE = 10n ** 15n;

/**
 * So many minor units of a currency: 1010 in USD are 10.10 dollars. It never changes, and money of two currencies does not
 * mix.
 *
 * Any number of units will do, also below zero and beyond `MAX_AMOUNT`: sums come to that. What may be posted, the ledger says.
 */
export class Money {
  private constructor(
    readonly minor: bigint,
    readonly currency: Currency,
  ) {}

  /**
   * @param minor an integer, as JSON with exact numbers gives it
   * @throws RangeError for a number that is not one, or that a double may have rounded
   */
  static of(minor: bigint | number, currency: Currency): Money {
    if (typeof minor === 'number' && !Number.isSafeInteger(minor)) {
      throw new RangeError(`${minor} is not an exact number of minor units`);
    }
    return new Money(BigInt(minor), currency);
  }

  /**
   * Reads an amount in major units by its digits: `10.1` and `"10.10"` in USD are 1010 cents. More digits after the point than
   * the currency has are a mistake, zeros too: who writes `10.100` has another currency in mind.
   *
   * @param decimal digits with at most one point and a minus before them. Of a JSON number no digit may have been lost when it
   *   was read, as in bodies sent to the API; from 10^15 minor units on only a text will do, unless the currency has no fractions
   * @throws ValidationError (400) for anything else, and beyond `MAX_AMOUNT`
   */
  static parse(decimal: string | number, currency: Currency): Money {
    const [, sign, whole = '', fraction = ''] = DECIMAL.exec(String(decimal)) ?? [];
    const digits = minorUnitsOf(currency);
    const minor = BigInt(whole + fraction.slice(0, digits).padEnd(digits, '0'));
    const mayBeRounded = typeof decimal === 'number' && digits > 0 && minor >= BEYOND_A_DOUBLE;
    if (whole === '' || fraction.length > digits || minor > MAX_AMOUNT || mayBeRounded) {
      const most = new Money(MAX_AMOUNT, currency).toDecimal();
      throw new ValidationError(
        `An amount in ${currency} is a decimal of at most ${digits} digits after the point, up to ${most}; one of more than 15 digits is sent as text.`,
      );
    }
    return new Money(sign === '-' ? -minor : minor, currency);
  }

  /** In major units, with all digits of the currency and a point between: `10.10`; in JPY `1000`. `parse` reads it. */
  toDecimal(): string {
    const digits = minorUnitsOf(this.currency);
    const isNegative = this.minor < 0n;
    const text = String(isNegative ? -this.minor : this.minor).padStart(digits + 1, '0');
    const point = text.length - digits;
    return `${isNegative ? '-' : ''}${text.slice(0, point)}${digits === 0 ? '' : `.${text.slice(point)}`}`;
  }

  /** @throws TypeError for another currency */
  minus(other: Money): Money {
    if (other.currency !== this.currency)
      throw new TypeError(`${other.currency} cannot be taken from ${this.currency}`);
    return new Money(this.minor - other.minor, this.currency);
  }

  negate(): Money {
    return new Money(-this.minor, this.currency);
  }
}

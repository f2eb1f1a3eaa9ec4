import fc from 'fast-check';
import { describe, expect, it } from '@jest/globals';
import { CURRENCIES, isCurrency, minorUnitsOf } from './currency.js';
import { MAX_AMOUNT, Money } from './money.js';

const currency = fc.constantFrom(...CURRENCIES.filter(isCurrency));
const minor = fc.bigInt({ min: -MAX_AMOUNT, max: MAX_AMOUNT });

describe('money', () => {
  it('is so many minor units, given as a bigint or as a number that is exact', () => {
    expect(Money.of(1010, 'USD')).toEqual(Money.of(1010n, 'USD'));
    expect(Money.of(2n ** 80n, 'USD').minor).toBe(2n ** 80n);
    for (const number of [10.1, 2 ** 53, NaN, Infinity]) expect(() => Money.of(number, 'USD')).toThrow(RangeError);
  });

  it('is taken from money of its currency only', () => {
    expect(Money.of(1000, 'USD').minus(Money.of(1200, 'USD'))).toEqual(Money.of(-200, 'USD'));
    expect(() => Money.of(1000, 'USD').minus(Money.of(1, 'EUR'))).toThrow('EUR cannot be taken from USD');
  });

  it('has an opposite', () => {
    expect(Money.of(5, 'JPY').negate()).toEqual(Money.of(-5, 'JPY'));
  });
});

describe('a decimal', () => {
  it.each([
    [10.1, 'USD', 1010n],
    ['10.1', 'USD', 1010n],
    ['10.10', 'USD', 1010n],
    [1.005, 'KWD', 1005n],
    [4.35, 'USD', 435n],
    [1.1, 'CLF', 11_000n],
    [1e3, 'USD', 100_000n],
    ['1000', 'JPY', 1000n],
    ['-0.05', 'EUR', -5n],
    [-0, 'USD', 0n],
    ['0007.5', 'USD', 750n],
    [9_999_999_999_999.99, 'USD', 999_999_999_999_999n],
    ['90071992547409.91', 'USD', MAX_AMOUNT],
    [Number.MAX_SAFE_INTEGER, 'JPY', MAX_AMOUNT],
  ] as const)('%p in %s is that many minor units', (decimal, code, units) => {
    expect(Money.parse(decimal, code)).toEqual(Money.of(units, code));
  });

  it.each([
    ['10.101', 'USD'],
    ['10.100', 'USD'],
    [10.101, 'USD'],
    [0.1 + 0.2, 'USD'],
    ['1000.00', 'JPY'],
    [0.5, 'JPY'],
    ['1.0005', 'KWD'],
    ['90071992547409.92', 'USD'],
    // The double's neighbours are cents away from it.
    [90071992547409.91, 'USD'],
    [2 ** 53, 'JPY'],
    [1e21, 'JPY'],
    [1e-7, 'USD'],
    [NaN, 'USD'],
    [Infinity, 'USD'],
    ['', 'USD'],
    ['-', 'USD'],
    ['.5', 'USD'],
    ['5.', 'USD'],
    ['+5', 'USD'],
    ['--5', 'USD'],
    ['1e3', 'USD'],
    ['1,000', 'USD'],
    ['1 000', 'USD'],
    [' 1', 'USD'],
    ['1\n', 'USD'],
    ['0x10', 'USD'],
    ['١', 'USD'],
    ['1'.repeat(100_000), 'USD'],
  ] as const)('%p in %s is refused', (decimal, code) => {
    expect(() => Money.parse(decimal, code)).toThrow(expect.objectContaining({ code: 'VALIDATION_FAILED' }));
  });

  it.each([
    [1010n, 'USD', '10.10'],
    [-5n, 'USD', '-0.05'],
    [0n, 'KWD', '0.000'],
    [1000n, 'JPY', '1000'],
    [2n ** 64n, 'USD', '184467440737095516.16'],
  ] as const)('%p in %s is written with all its digits', (units, code, decimal) => {
    expect(Money.of(units, code).toDecimal()).toBe(decimal);
  });

  it('is read as it was written, in every currency', () => {
    fc.assert(
      fc.property(minor, currency, (units, code) => {
        const money = Money.of(units, code);
        expect(Money.parse(money.toDecimal(), code)).toEqual(money);
      }),
    );
  });

  it('that is a JSON number is read like its text, or refused', () => {
    fc.assert(
      fc.property(
        fc.oneof(minor, fc.bigInt({ min: 10n ** 15n - 9n, max: 10n ** 15n + 9n })),
        currency,
        (units, code) => {
          const money = Money.of(units, code);
          const read = () => Money.parse(Number(money.toDecimal()), code);
          const isExact = minorUnitsOf(code) === 0 || (units < 10n ** 15n && units > -(10n ** 15n));
          if (isExact) expect(read()).toEqual(money);
          else expect(read).toThrow('sent as text');
        },
      ),
      { numRuns: 1000 },
    );
  });
});

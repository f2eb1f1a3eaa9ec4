import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Money } from './money.js';

describe('Money', () => {
  it('adds and subtracts exactly, far beyond what a double holds', () => {
    const sum = Money.of(2n ** 60n, 'USD').plus(Money.of(1, 'USD'));
    expect(sum.amount).toBe(2n ** 60n + 1n);
    expect(sum.minus(Money.of(2n ** 60n, 'USD')).equals(Money.of(1, 'USD'))).toBe(true);
  });

  it('takes back what it gave', () => {
    fc.assert(
      fc.property(fc.bigInt(), fc.bigInt(), (a, b) => {
        const one = Money.of(a, 'EUR');
        const other = Money.of(b, 'EUR');
        expect(one.plus(other).minus(other).equals(one)).toBe(true);
        expect(one.plus(other.negated()).equals(one.minus(other))).toBe(true);
      }),
    );
  });

  it.each([
    [1250, 'USD', '12.50 USD'],
    [-5, 'USD', '-0.05 USD'],
    [0, 'USD', '0.00 USD'],
    [700, 'JPY', '700 JPY'],
    [-1, 'KWD', '-0.001 KWD'],
  ])('writes %i %s as %s', (amount, currency, text) => {
    expect(String(Money.of(amount, currency))).toBe(text);
  });

  it('never mixes currencies', () => {
    const dollar = Money.of(1, 'USD');
    const euro = Money.of(1, 'EUR');
    expect(() => dollar.plus(euro)).toThrow(RangeError);
    expect(() => dollar.minus(euro)).toThrow(RangeError);
    expect(dollar.equals(euro)).toBe(false);
  });

  it.each([0.1, NaN, Infinity, 2 ** 53])('refuses %f, which is not exact', (amount) => {
    expect(() => Money.of(amount, 'USD')).toThrow(RangeError);
  });

  it('refuses a currency that does not exist', () => {
    expect(() => Money.of(1, 'XXX')).toThrow(RangeError);
  });

  it('cannot be changed', () => {
    const money = Money.of(1, 'USD');
    expect(() => Object.assign(money, { amount: 2n })).toThrow(TypeError);
  });
});

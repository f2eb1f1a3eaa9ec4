import { describe, expect, it } from 'vitest';
import { CURRENCIES, isCurrency, minorUnitDigits } from './currency.js';

function digitsOfIcu(currency: string): number | undefined {
  return new Intl.NumberFormat('en', { style: 'currency', currency }).resolvedOptions().maximumFractionDigits;
}

describe('the currencies', () => {
  it('have the minor units of ISO 4217', () => {
    expect(['USD', 'EUR', 'JPY', 'KRW', 'KWD', 'BHD', 'CLF', 'NGN'].map(minorUnitDigits)).toEqual([
      2, 2, 0, 0, 3, 3, 4, 2,
    ]);
  });

  it('agree with ICU but where ICU rounds to whole units, because nobody has the coins', () => {
    const differ = CURRENCIES.filter((code) => digitsOfIcu(code) !== minorUnitDigits(code));
    expect(differ.filter((code) => digitsOfIcu(code) !== 0)).toEqual([]);
    expect(differ.length).toBeLessThan(25);
  });

  it('are three letters each, none twice', () => {
    expect(CURRENCIES.filter((code) => !/^[A-Z]{3}$/.test(code))).toEqual([]);
    expect(CURRENCIES.length).toBe(new Set(CURRENCIES).size);
    expect(CURRENCIES.length).toBeGreaterThan(150);
  });

  it.each(['usd', 'XXX', 'XAU', 'ABC', '', 'toString', '__proto__'])('do not know %o', (code) => {
    expect(isCurrency(code)).toBe(false);
    expect(() => minorUnitDigits(code)).toThrow(RangeError);
  });
});

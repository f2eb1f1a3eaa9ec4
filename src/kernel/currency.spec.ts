import { describe, expect, it } from '@jest/globals';
import { CURRENCIES, isCurrency, minorUnitsOf } from './currency.js';

/** Units of funds, and codes too young or too local for ICU's list. */
const NOT_OF_ICU = new Set(['BOV', 'CHE', 'CHW', 'CLF', 'COU', 'MXV', 'USN', 'UYI', 'UYW', 'VED', 'XAD', 'XCG', 'ZWG']);

const LETTERS = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZ'];
const EVERY_CODE = LETTERS.flatMap((a) => LETTERS.flatMap((b) => LETTERS.map((c) => a + b + c)));

describe('the currencies', () => {
  it.each(['USD', 'EUR', 'JPY', 'KWD', 'CLF', 'NGN', 'XOF', 'ZWG'])('know %s', (code) => {
    expect(isCurrency(code)).toBe(true);
  });

  it.each(['usd', 'XXX', 'XAU', 'XTS', 'ABC', '', 'USD ', 'toString', '__proto__'])('do not know %o', (code) => {
    expect(isCurrency(code)).toBe(false);
  });

  it('are those of list one that have a minor unit; ICU knows them too', () => {
    const known = EVERY_CODE.filter(isCurrency);
    expect(known).toHaveLength(165);
    const ofIcu = new Set(Intl.supportedValuesOf('currency'));
    expect(known.filter((code) => !ofIcu.has(code) && !NOT_OF_ICU.has(code))).toEqual([]);
  });
});

/**
 * Where ICU 78 (CLDR 48, `supplementalData.xml`) has none and ISO 4217 has two or, for IQD, three: ICU counts the digits in
 * use, and nobody uses these coins any more.
 */
const WITHOUT_COINS = new Set('AFN ALL COP HUF IDR IQD IRR KPW LAK LBP MGA MMK PKR SOS SYP YER'.split(' '));

function digitsOfIcu(currency: string): number | undefined {
  return new Intl.NumberFormat('en', { style: 'currency', currency }).resolvedOptions().maximumFractionDigits;
}

describe('the digits of the minor unit', () => {
  it.each([
    ['USD', 2],
    ['JPY', 0],
    ['ISK', 0],
    ['UGX', 0],
    ['KWD', 3],
    ['IQD', 3],
    ['MGA', 2],
    ['HUF', 2],
    ['CLF', 4],
  ] as const)('of %s are %i, as ISO 4217 has it', (currency, digits) => {
    expect(minorUnitsOf(currency)).toBe(digits);
  });

  it('are those of ICU, but for currencies whose coins nobody uses', () => {
    const currencies = CURRENCIES.filter(isCurrency);
    const others = currencies.filter((currency) => digitsOfIcu(currency) !== minorUnitsOf(currency));
    expect(others.filter((currency) => !WITHOUT_COINS.has(currency))).toEqual([]);
    expect(others.filter((currency) => digitsOfIcu(currency) !== 0)).toEqual([]);
  });
});

import { describe, expect, it } from '@jest/globals';
import { isCurrency } from './currency.js';

/** Units of funds, and codes too young or too local for ICU's list. */
const NOT_OF_ICU = new Set(['BOV', 'CHE', 'CHW', 'CLF', 'COU', 'MXV', 'USN', 'UYI', 'UYW', 'VED', 'XCG', 'ZWG']);

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
    expect(known).toHaveLength(164);
    const ofIcu = new Set(Intl.supportedValuesOf('currency'));
    expect(known.filter((code) => !ofIcu.has(code) && !NOT_OF_ICU.has(code))).toEqual([]);
  });
});

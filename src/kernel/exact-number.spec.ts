import * as fc from 'fast-check';
import { describe, expect, it } from '@jest/globals';
import { ANY_NUMBER, isSameNumber } from './exact-number.contract.js';
import { isKeptByDouble } from './exact-number.js';

describe('isKeptByDouble', () => {
  it.each([
    '0',
    '-0',
    '0e999999999999',
    '1.0',
    '1e2',
    '100.000000000000000000000',
    '0.1',
    '0.30000000000000004',
    '9007199254740991.0',
    '9007199254740992.0',
    '1e22',
    '1E+308',
    '5e-324',
    '123456789012345e-10',
    '0.00000000000000000000000000012345',
  ])('is true for %s', (text) => {
    expect(isKeptByDouble(text)).toBe(true);
  });

  it.each([
    '0.99999999999999999',
    '1.00000000000000001',
    '12345678901234.9999999',
    '9007199254740993.0',
    '9007199254740993.5',
    '9.007199254740993e15',
    '1e400',
    '-1e400',
    '1e-400',
    '1e99999999999999999999',
    '1e-99999999999999999999',
    '2.4703282292062327e-324',
    '0.10000000000000001',
  ])('is false for %s', (text) => {
    expect(isKeptByDouble(text)).toBe(false);
  });

  it('is true exactly where writing the double gives the same number', () => {
    fc.assert(
      fc.property(fc.stringMatching(ANY_NUMBER), (text) => {
        const double = Number(text);
        const isSame = Number.isFinite(double) && isSameNumber(text, String(double));
        expect(isKeptByDouble(text)).toBe(isSame);
      }),
      { numRuns: 2000 },
    );
  });

  it('is true for whatever a double is written as', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (double) => {
        expect(isKeptByDouble(JSON.stringify(double))).toBe(true);
        expect(isKeptByDouble(double.toExponential())).toBe(true);
      }),
    );
  });

  it('is true for up to 15 digits, wherever the point is', () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: 0n, max: 10n ** 15n - 1n }),
        fc.integer({ min: -307, max: 293 }),
        (number, power) => {
          expect(isKeptByDouble(`${number}e${power}`)).toBe(true);
        },
      ),
    );
  });
});

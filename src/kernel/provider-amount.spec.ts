import fc from 'fast-check';
import { describe, expect, it } from '@jest/globals';
import { CURRENCIES, isCurrency } from './currency.js';
import { MAX_AMOUNT, Money } from './money.js';
import { fromProviderAmount, toProviderAmount } from './provider-amount.js';

const REFUSED = expect.objectContaining({ code: 'VALIDATION_FAILED' });
/** As Stripe lists them, but for UGX, of which "Special cases" says otherwise. */
const ZERO_DECIMAL_AT_STRIPE = 'BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF'.split(' ');

const provider = fc.constantFrom('stripe' as const, 'paystack' as const);
const currency = fc.constantFrom(...CURRENCIES.filter(isCurrency));
const amount = fc.oneof(
  fc.bigInt({ min: -MAX_AMOUNT, max: MAX_AMOUNT }),
  fc.bigInt({ min: -MAX_AMOUNT / 100n, max: MAX_AMOUNT / 100n }).map((hundreds) => hundreds * 100n),
  fc.bigInt({ min: 0n, max: 10_000n }),
);

/** Undefined when it is refused, which nothing but a refusal may be. */
function attempted<Result>(convert: () => Result): Result | undefined {
  try {
    return convert();
  } catch (error) {
    expect(error).toEqual(REFUSED);
    return undefined;
  }
}

describe('an amount at a provider', () => {
  it.each([
    ['stripe', '10.10', 'USD', 1010],
    ['stripe', '500', 'JPY', 500],
    ['stripe', '5', 'ISK', 500],
    ['stripe', '5', 'UGX', 500],
    ['stripe', '5.00', 'MGA', 5],
    ['stripe', '10.45', 'HUF', 1045],
    ['stripe', '800.45', 'TWD', 80_045],
    ['stripe', '5.120', 'KWD', 5120],
    ['paystack', '10.10', 'NGN', 1010],
    ['paystack', '10.10', 'KES', 1010],
  ] as const)('at %s, %s %s, is %i', (at, decimal, code, expected) => {
    const money = Money.parse(decimal, code);
    expect(toProviderAmount(at, money)).toBe(expected);
    expect(fromProviderAmount(at, expected, code)).toEqual(money);
  });

  it.each([
    ['stripe', '5.50', 'MGA'],
    ['stripe', '5.124', 'KWD'],
    ['stripe', '1.000', 'IQD'],
    ['stripe', '1.0000', 'CLF'],
    ['stripe', '9007199254740991', 'ISK'],
    ['paystack', '10', 'XOF'],
    ['paystack', '10.10', 'EUR'],
  ] as const)('at %s, %s %s, is refused before any call', (at, decimal, code) => {
    expect(() => toProviderAmount(at, Money.parse(decimal, code))).toThrow(REFUSED);
  });

  it('that the provider gives in fractions of the minor unit is refused', () => {
    expect(() => fromProviderAmount('stripe', 550, 'ISK')).toThrow(REFUSED);
    expect(() => fromProviderAmount('paystack', 100, 'EUR')).toThrow(REFUSED);
  });

  it('has no minor unit where Stripe lists it so, and two digits or three everywhere else', () => {
    const of = (code: string) =>
      isCurrency(code) && attempted(() => fromProviderAmount('stripe', 1000, code).toDecimal());
    const whole = CURRENCIES.filter((code) => /^1000(\.0+)?$/.test(of(code) || ''));
    expect(whole).toEqual(ZERO_DECIMAL_AT_STRIPE);
  });

  it('is exactly the money and comes back as it was, or is refused', () => {
    let carried = 0;
    fc.assert(
      fc.property(provider, currency, amount, (at, code, minor) => {
        const money = Money.of(minor, code);
        const sent = attempted(() => toProviderAmount(at, money));
        if (sent === undefined) return;
        carried++;
        expect(Number.isSafeInteger(sent)).toBe(true);
        expect(fromProviderAmount(at, sent, code)).toEqual(money);
      }),
      { numRuns: 3000 },
    );
    expect(carried).toBeGreaterThan(500);
  });

  it('that was received is the same when it is sent back, or is refused', () => {
    fc.assert(
      fc.property(provider, currency, amount, (at, code, received) => {
        const money = attempted(() => fromProviderAmount(at, received, code));
        const sent = money && attempted(() => toProviderAmount(at, money));
        if (sent !== undefined) expect(BigInt(sent)).toBe(received);
      }),
      { numRuns: 3000 },
    );
  });
});

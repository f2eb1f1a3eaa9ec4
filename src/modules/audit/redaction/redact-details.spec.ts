import fc from 'fast-check';
import { describe, expect, it } from '@jest/globals';
import { redactDetails } from './redact-details.js';

function redacted(details: Record<string, unknown>): unknown {
  return JSON.parse(redactDetails(details));
}

describe('redactDetails', () => {
  it('keeps plain facts as they are', () => {
    const facts = { source: 'stripe', attempts: 3, ratio: 0.5, replayed: false, error: null, tags: ['a', 'b'] };
    expect(redacted(facts)).toEqual(facts);
  });

  it('redacts what looks secret, at any depth', () => {
    expect(
      redacted({ source: { config: [{ secret: 'abc', tolerance: 300 }], headers: { authorization: 'x' } } }),
    ).toEqual({
      source: { config: [{ secret: '[redacted]', tolerance: 300 }], headers: { authorization: '[redacted]' } },
    });
  });

  it('redacts a secret whole, whatever its type', () => {
    expect(redacted({ card: { number: 4242, brand: 'visa' }, keys: ['a'], pin: 1234 })).toEqual({
      card: '[redacted]',
      keys: '[redacted]',
      pin: '[redacted]',
    });
  });

  it('keeps whether there is a secret', () => {
    expect(redacted({ secret: true, password: null })).toEqual({ secret: true, password: null });
  });

  it.each([
    'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
    'sk_live_51AbCdEfGhIjKlMnOp',
    'hf_test_0123456789abcdefghijklmnopqrstuv',
    'ghp_0123456789abcdefghijklmnopqrstuvwxyz',
    'Bearer abcdefghijklmnopqrstuvwxyz',
    'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl',
    '4242424242424242',
    '4242 4242 4242 4242',
    '3782-822463-10005',
  ])('redacts %s inside a text', (secret) => {
    expect(redacted({ error: `refused: ${secret}, sorry` })).toEqual({ error: 'refused: [redacted], sorry' });
  });

  it('redacts a card number that is a number', () => {
    expect(redacted({ value: 4242424242424242, big: 5555555555554444n })).toEqual({
      value: '[redacted]',
      big: '[redacted]',
    });
  });

  it.each([
    '0195b6b0-1111-7222-8333-444455556666',
    '1735787045678901',
    '4242424242424241',
    'evt_4242424242424242',
    '12345678-1234-1234-1234-123456789012',
    'sk_live_short',
    'the bearer of good news',
  ])('keeps %s', (text) => {
    expect(redacted({ text })).toEqual({ text });
  });

  it('makes text of what PostgreSQL or JSON cannot hold', () => {
    const at = new Date('2026-01-02T03:04:05.678Z');
    expect(
      redacted({
        'a\0b': 'x\0y\ud800',
        nan: Number.NaN,
        at,
        never: new Date(Number.NaN),
        big: 2n ** 70n,
        small: 5n,
        gone: undefined,
      }),
    ).toEqual({
      'a\uFFFDb': 'x\uFFFDy\uFFFD',
      nan: null,
      at: '2026-01-02T03:04:05.678Z',
      never: null,
      big: '1180591620717411303424',
      small: 5,
    });
  });

  it('cuts what is long, wide or deep', () => {
    const cyclic: Record<string, unknown> = {};
    cyclic['self'] = cyclic;
    const text = redactDetails({ long: 'x'.repeat(100_000), wide: Array.from({ length: 10_000 }, () => 'x'), cyclic });
    expect(text.length).toBeLessThan(2_000);
    expect(text).toContain('[too deep]');
  });

  it('never throws and never lets a NUL or half a character through', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.string({ unit: 'binary' }), fc.anything({ withBigInt: true, withDate: true })),
        (details) => {
          expect(redactDetails(details)).not.toMatch(/\\u0000|\\ud[89a-f]|[\0\p{Surrogate}]/iu);
        },
      ),
    );
  });
});

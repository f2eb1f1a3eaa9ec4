import fc from 'fast-check';
import { describe, expect, it } from '@jest/globals';
import { ValidationError } from './app-error.js';
import { type CanonicalInput, canonicalJson } from './canonical-json.js';

/** A double from its IEEE 754 bits, as the table of RFC 8785, appendix B, gives them. */
function double(bits: string): number {
  return Buffer.from(bits, 'hex').readDoubleBE();
}

function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toReversed()
      .map(([key, member]) => [key, reversed(member)]),
  );
}

describe('canonicalJson', () => {
  it('writes the example of RFC 8785, section 3.2.2 and 3.2.3', () => {
    const example = JSON.parse(String.raw`{
      "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
      "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
      "literals": [null, true, false]
    }`);
    expect(canonicalJson(example)).toBe(
      String.raw`{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],` +
        String.raw`"string":"€$\u000f\nA'B\"\\\\\"/"}`,
    );
  });

  it('sorts members by UTF-16 code units, as in RFC 8785, section 3.2.3', () => {
    const example = {
      '\u20ac': 'Euro Sign',
      '\r': 'Carriage Return',
      '\ufb33': 'Hebrew Letter Dalet With Dagesh',
      '1': 'One',
      '\ud83d\ude00': 'Emoji: Grinning Face',
      '\u0080': 'Control',
      '\u00f6': 'Latin Small Letter O With Diaeresis',
    };
    expect([...canonicalJson(example).matchAll(/:"([^"]*)"/g)].map(([, name]) => name)).toEqual([
      'Carriage Return',
      'One',
      'Control',
      'Latin Small Letter O With Diaeresis',
      'Euro Sign',
      'Emoji: Grinning Face',
      'Hebrew Letter Dalet With Dagesh',
    ]);
  });

  it.each([
    ['0000000000000000', '0'],
    ['8000000000000000', '0'],
    ['0000000000000001', '5e-324'],
    ['7fefffffffffffff', '1.7976931348623157e+308'],
    ['4340000000000000', '9007199254740992'],
    ['4430000000000000', '295147905179352830000'],
    ['44b52d02c7e14af5', '9.999999999999997e+22'],
    ['444b1ae4d6e2ef4e', '999999999999999700000'],
    ['444b1ae4d6e2ef50', '1e+21'],
    ['3eb0c6f7a0b5ed8d', '0.000001'],
    ['3eb0c6f7a0b5ed8c', '9.999999999999997e-7'],
    ['41b3de4355555553', '333333333.3333332'],
    ['becbf647612f3696', '-0.0000033333333333333333'],
  ])('writes the double %s of RFC 8785, appendix B, as %s', (bits, text) => {
    expect(canonicalJson(double(bits))).toBe(text);
  });

  it('writes integers beyond 2^53 in full', () => {
    expect(canonicalJson({ id: 12345678901234567890n, small: 5n })).toBe('{"id":12345678901234567890,"small":5}');
  });

  it('leaves out undefined members and keeps "__proto__" an ordinary one', () => {
    const parsed: CanonicalInput = JSON.parse('{"b":1,"__proto__":{"a":2}}');
    expect(canonicalJson({ gone: undefined, kept: parsed })).toBe('{"kept":{"__proto__":{"a":2},"b":1}}');
  });

  it.each([[NaN], [Infinity], [-Infinity], ['\ud800'], [{ '\udc00': 1 }]])('refuses %j, as RFC 8785 asks', (value) => {
    expect(() => canonicalJson(value)).toThrow(ValidationError);
  });

  it('refuses nesting that would end the call stack', () => {
    let nested: CanonicalInput = [];
    for (let level = 0; level < 100_000; level++) nested = [nested];
    expect(() => canonicalJson(nested)).toThrow(ValidationError);
  });

  it('says the same for every order of members, and JSON.parse reads back the value', () => {
    fc.assert(
      fc.property(fc.json(), (json) => {
        const value = JSON.parse(json);
        const text = canonicalJson(value);
        expect(canonicalJson(JSON.parse(JSON.stringify(reversed(value))))).toBe(text);
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });
});

import * as fc from 'fast-check';
import { describe, expect, it } from '@jest/globals';
import {
  isJsonObject,
  isNestedTooDeeply,
  isStorableAsJsonb,
  parseExactJson,
  stringifyExactJson,
  type JsonObject,
  type JsonValue,
} from './exact-json.js';

/** Sends any JSON text down the exact path without changing what the rest of it means. */
const onExactPath = (text: string) => `[${text},9007199254740993]`;

const deep = (levels: number, inner = '1') => '['.repeat(levels) + inner + ']'.repeat(levels);

/** What JSON.parse would have made of the same text. */
function rounded(value: JsonValue): unknown {
  if (typeof value === 'bigint') return Number(value);
  if (Array.isArray(value)) return value.map(rounded);
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, rounded(member)]));
}

function outcome(read: () => unknown): unknown {
  try {
    return read();
  } catch (error) {
    return error instanceof SyntaxError ? 'SyntaxError' : error;
  }
}

describe('parseExactJson', () => {
  it('keeps an integer beyond 2^53 - 1 exactly, at any depth and sign', () => {
    expect(parseExactJson('{"id":9007199254740993,"list":[-90071992547409931234]}')).toEqual({
      id: 9007199254740993n,
      list: [-90071992547409931234n],
    });
  });

  it('changes to bigint right after the last safe integer', () => {
    expect(parseExactJson('[9007199254740991,9007199254740992,-9007199254740991,-9007199254740992]')).toEqual([
      9007199254740991,
      9007199254740992n,
      -9007199254740991,
      -9007199254740992n,
    ]);
  });

  it('leaves decimals and exponents to floating point', () => {
    expect(parseExactJson('[0.12345678901234567890,1e21,12345678901234567890.5,-0,1e400]')).toEqual([
      0.12345678901234568,
      1e21,
      12345678901234567000,
      -0,
      Infinity,
    ]);
  });

  it('finds no number inside a string', () => {
    expect(parseExactJson('{"card":"4242424242424242\\"1234567890123456789"}')).toEqual({
      card: '4242424242424242"1234567890123456789',
    });
  });

  it.each(['{"a":1,"b":2,"a":{"c":3}}', onExactPath('{"a":1,"b":2,"a":{"c":3}}')])(
    'lets the last of two equal keys win: %s',
    (text) => {
      expect(JSON.stringify(rounded(parseExactJson(text)))).toBe(JSON.stringify(JSON.parse(text)));
    },
  );

  it.each([
    '{"__proto__":{"admin":true},"a":1}',
    '{"__proto__":{"admin":true},"a":9007199254740993}',
    '{"__proto__":1,"__proto__":{"admin":true},"a":9007199254740993}',
  ])('makes __proto__ a plain property: %s', (text) => {
    const value = parseExactJson(text);
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    expect(Object.hasOwn(value as JsonObject, '__proto__')).toBe(true);
    expect((value as JsonObject).admin).toBeUndefined();
  });

  it('reads every text exactly as JSON.parse does, on both paths', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 6 }), (text) => {
        expect(rounded(parseExactJson(text))).toEqual(JSON.parse(text));
        expect(rounded(parseExactJson(onExactPath(text)))).toEqual([JSON.parse(text), 9007199254740992]);
      }),
      { numRuns: 500 },
    );
  });

  it('refuses what JSON.parse refuses, on both paths', () => {
    const token = fc.constantFrom('{', '}', '[', ']', ',', ':', '"', '"a"', '"\\u00e9"', '\\', '01', '-', '1.', '.5', '1e', 'tru', 'null', ' ', '\u0001', '9007199254740993'); // prettier-ignore
    fc.assert(
      fc.property(fc.array(token, { maxLength: 8 }), (tokens) => {
        for (const text of [tokens.join(''), onExactPath(tokens.join(''))]) {
          expect(outcome(() => rounded(parseExactJson(text)))).toEqual(outcome(() => JSON.parse(text)));
        }
      }),
      { numRuns: 2000 },
    );
  });

  it.each([
    '{9007199254740993:1}',
    '[9007199254740993"a"]',
    '["a"9007199254740993]',
    '[-9007199254740993.]',
    '[--9007199254740993]',
    '[09007199254740993]',
    '[9007199254740993 9007199254740993]',
    '[9007199254740993e]',
    'true9007199254740993',
    '"9007199254740993',
  ])('refuses a long number where none may be: %s', (text) => {
    expect(() => parseExactJson(text)).toThrow(SyntaxError);
  });

  it('reads and writes back any exact integer', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 200n), max: 2n ** 200n }), (integer) => {
        const value = parseExactJson(`{"n":${integer}}`);
        expect(isJsonObject(value) && BigInt(value.n as bigint | number)).toBe(integer);
        expect(stringifyExactJson(value)).toBe(`{"n":${integer}}`);
      }),
    );
  });

  it('keeps an integer of 1000 digits and leaves a longer one to floating point, which has no such number', () => {
    const longest = `-${'9'.repeat(1000)}`;
    expect(parseExactJson(`[${longest},${'9'.repeat(1001)}]`)).toEqual([BigInt(longest), Infinity]);
  });

  it('reads any depth without long numbers and 500 levels with them', () => {
    expect(() => parseExactJson(deep(100_000))).not.toThrow();
    expect(() => parseExactJson(deep(500, '9007199254740993'))).not.toThrow();
  });

  it('refuses deeper nesting around long numbers as a syntax error, never by running out of stack', () => {
    expect(() => parseExactJson(deep(501, '9007199254740993'))).toThrow(SyntaxError);
    expect(() => parseExactJson(deep(400_000, '9007199254740993'))).toThrow(SyntaxError);
  });
});

describe('stringifyExactJson', () => {
  it('writes what JSON.stringify writes when there is no bigint', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(stringifyExactJson(value)).toBe(JSON.stringify(value));
      }),
    );
  });

  it('writes a bigint as its digits and everything beside it as JSON.stringify does', () => {
    const beside = { at: new Date(0), none: undefined, not: [NaN, Infinity, undefined], text: '9007199254740993"' };
    const text = JSON.stringify(beside);
    const value = { n: -9007199254740993n, ...beside };
    expect(stringifyExactJson(value)).toBe(`{"n":-9007199254740993,${text.slice(1)}`);
    expect(stringifyExactJson(value, { indent: 2 })).toBe(
      JSON.stringify({ n: 0, ...beside }, null, 2).replace('0', '-9007199254740993'),
    );
  });

  it('hands on any other complaint', () => {
    const refuse = () => {
      throw new RangeError('not this one');
    };
    expect(() => stringifyExactJson({ toJSON: refuse })).toThrow('not this one');
  });
});

describe('isNestedTooDeeply', () => {
  it.each([
    ['500 levels', deep(500), false],
    ['501 levels', deep(501), true],
    ['a million levels that nothing closes', '['.repeat(1_000_000), true],
    ['brackets in strings', `["${'['.repeat(2000)}"]`, false],
    ['brackets side by side', `[${'{},[],'.repeat(2000)}0]`, false],
  ])('looks at %s', (_, text, expected) => {
    expect(isNestedTooDeeply(text)).toBe(expected);
  });
});

describe('isStorableAsJsonb', () => {
  it.each([
    ['plain JSON', '{"a":[1,2.5e3,"x",null,true]}'],
    ['an escaped backslash before u0000', String.raw`"\\u0000"`],
    ['an escaped surrogate pair', String.raw`"\ud83d\uDE00"`],
    ['a raw surrogate pair', '"😀"'],
    ['a surrogate-looking text after an escaped backslash', String.raw`"\\ud83d"`],
    ['1000 digits', '1'.repeat(1000)],
    ['an exponent of 999', '[1e999,1e-999,1e+0000999]'],
    ['a string that only looks like a number', `["1e99999","${'1'.repeat(2000)}"]`],
    ['500 levels', deep(500)],
    ['many brackets side by side', `[${'{},[],'.repeat(2000)}0]`],
    ['16 Mi characters', `"${'x'.repeat(16 * 1024 * 1024 - 2)}"`],
    ['brackets inside strings', `["${'['.repeat(2000)}","\\"${'{'.repeat(2000)}"]`],
  ])('is true for %s', (_, text) => {
    JSON.parse(text);
    expect(isStorableAsJsonb(text)).toBe(true);
  });

  it.each([
    ['an escaped NUL', String.raw`{"a":"x\u0000y"}`],
    ['an escaped NUL in a key', String.raw`{"\u0000":1}`],
    ['an escaped NUL after an escaped backslash', String.raw`"\\\u0000"`],
    ['a high surrogate alone', String.raw`"\ud83d"`],
    ['a high surrogate followed by a letter', String.raw`"\uD83Dx"`],
    ['a low surrogate alone', String.raw`"\ude00"`],
    ['a pair the wrong way round', String.raw`"\ude00\ud83d"`],
    ['two high surrogates and a low one', String.raw`"\ud83d\ud83d\ude00"`],
    ['a raw high surrogate alone', '"\ud83d"'],
    ['a raw low surrogate alone', '"a\ude00"'],
    ['half a pair escaped and half raw', '"\\ud83d\ude00"'],
    ['1001 digits', '1'.repeat(1001)],
    ['1001 digits after the point', `0.${'1'.repeat(1001)}`],
    ['an exponent of 1000', '1e1000'],
    ['a negative exponent of 1000 with zeros before it', '1E-001000'],
    ['501 levels of arrays', deep(501)],
    ['501 levels of objects', `${'{"a":'.repeat(501)}1${'}'.repeat(501)}`],
    ['a million levels', deep(1_000_000)],
    ['more than 16 Mi characters', `"${'x'.repeat(16 * 1024 * 1024 - 1)}"`],
  ])('is false for %s', (_, text) => {
    JSON.parse(text);
    expect(isStorableAsJsonb(text)).toBe(false);
  });

  it('looks through megabytes of escapes without running out of stack', () => {
    const escapes = '\\"\\\\'.repeat(2_000_000);
    expect(isStorableAsJsonb(`["${escapes}",1e999]`)).toBe(true);
    expect(isStorableAsJsonb(`["${escapes}",1e1000]`)).toBe(false);
  });
});

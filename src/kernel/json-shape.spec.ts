import * as fc from 'fast-check';
import { describe, expect, it } from '@jest/globals';
import { jsonShape, repeatedMember } from './json-shape.js';

const shapeOf = (text: string) => jsonShape(Buffer.from(text));

/** The same from the value: slower, and without a scanner that could be wrong. */
function counted(value: unknown): { depth: number; members: number; widest: number } {
  if (typeof value !== 'object' || value === null) return { depth: 0, members: 0, widest: 0 };
  const own = Array.isArray(value) ? 0 : Object.keys(value).length;
  const inner = Object.values(value).map(counted);
  return {
    depth: 1 + Math.max(0, ...inner.map(({ depth }) => depth)),
    members: own + inner.reduce((sum, { members }) => sum + members, 0),
    widest: Math.max(own, ...inner.map(({ widest }) => widest)),
  };
}

/** Every value is one, and an empty list or object is two. */
function valuesOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 1;
  const inner = Object.values(value);
  return inner.reduce((sum: number, each) => sum + valuesOf(each), inner.length === 0 ? 2 : 1);
}

describe('jsonShape', () => {
  it('counts levels, members and values of any JSON, however it is spaced', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), fc.constantFrom('', ' ', '\t'), (value, space) => {
        expect(shapeOf(JSON.stringify(value, null, space))).toMatchObject({
          ...counted(value),
          values: valuesOf(value),
        });
      }),
      { numRuns: 500 },
    );
  });

  it('finds nothing in strings', () => {
    const texts = fc.array(fc.constantFrom('"', '\\', '[', '{', ':', ',', '1e5', '}', ']', 'é', '😀', '9'.repeat(20)));
    fc.assert(
      fc.property(texts, (parts) => {
        const text = JSON.stringify([parts.join('')]);
        expect(shapeOf(text)).toEqual({ depth: 1, values: 2, members: 0, widest: 0, longNumbers: [] });
      }),
    );
  });

  it('lists the numbers that have an exponent or more than 15 characters, as they are written', () => {
    const text = '[123456789012345,-12345678901234.5,{"a":0.99999999999999999},1E2 ,-9007199254740993,0.5,1.5e-7]';
    expect(shapeOf(text).longNumbers).toEqual([
      '-12345678901234.5',
      '0.99999999999999999',
      '1E2',
      '-9007199254740993',
      '1.5e-7',
    ]);
  });

  it('lists every number that a double does not hold', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(10n ** 40n), max: 10n ** 40n }), fc.nat({ max: 38 }), (integer, point) => {
        const [sign, digits] = integer < 0n ? ['-', String(-integer)] : ['', String(integer)];
        const padded = digits.padStart(point + 1, '0');
        const number = `${sign}${padded.slice(0, padded.length - point)}.${padded.slice(padded.length - point)}0`;
        fc.pre(digits.replace(/0+$/, '').length > 15);
        expect(shapeOf(`{"n":${number},"o":1}`).longNumbers).toEqual([number]);
      }),
    );
  });

  it('ends its count at 501 levels', () => {
    expect(shapeOf('['.repeat(100_000)).depth).toBe(501);
    expect(shapeOf(`${'['.repeat(500)}${']'.repeat(500)}`).depth).toBe(500);
  });

  it('breaks at nothing that is no JSON', () => {
    const token = fc.constantFrom('{', '}', '[', ']', ',', ':', '"', '\\', '1', '-', '.', 'e', '+', 'é');
    fc.assert(
      fc.property(fc.array(token, { maxLength: 20 }), (tokens) => {
        expect(shapeOf(tokens.join('')).values).toBeGreaterThan(0);
      }),
    );
  });
});

describe('repeatedMember', () => {
  const nameIn = (text: string) => repeatedMember(Buffer.from(text));

  it.each([
    ['{"a":1,"a":1}', 'a'],
    ['{"a":1,"b":{"c":1,"a":2,"\\u0063":3}}', 'c'],
    ['{"":1,"":2}', ''],
    ['{"__proto__":1,"__proto__":2}', '__proto__'],
    ['[{"a":1},{"a":":","b":[{"é":1}],"a":1}]', 'a'],
  ])('finds it in %s', (text, name) => {
    expect(nameIn(text)).toBe(name);
  });

  it('finds none where JSON.stringify has written each once', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(nameIn(JSON.stringify(value, null, 1))).toBeUndefined();
      }),
    );
  });
});

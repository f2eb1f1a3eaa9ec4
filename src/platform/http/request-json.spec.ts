import * as fc from 'fast-check';
import { describe, expect, it } from '@jest/globals';
import { ANY_NUMBER, isSameNumber } from '../../kernel/exact-number.contract.js';
import { ValidationError } from '../../kernel/app-error.js';
import { stringifyExactJson } from '../../kernel/exact-json.js';
import { parseRequestJson } from './request-json.js';

const parse = (text: string, maxValues?: number) => parseRequestJson(Buffer.from(text), maxValues);

/** What is said against the text; undefined when it is read. */
function refusal(text: string, maxValues?: number): string | undefined {
  try {
    parse(text, maxValues);
    return undefined;
  } catch (error) {
    if (!(error instanceof ValidationError)) throw error;
    return error.message;
  }
}

const names = fc.string({ maxLength: 3 });
const values = fc.letrec<{ value: string; object: readonly (readonly [string, string])[] }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom('1', '"a:1"', 'null', '9007199254740993'),
    fc.array(tie('value'), { maxLength: 3 }).map((items) => `[${items.join(' , ')}]`),
    tie('object').map(textOf),
  ),
  object: fc.uniqueArray(fc.tuple(names, tie('value')), { selector: ([name]) => name, maxLength: 4 }),
}));

function textOf(members: readonly (readonly [string, string])[]): string {
  return `{${members.map(([name, value]) => `${JSON.stringify(name)} : ${value}`).join(',')}}`;
}

const escaped = (name: string) =>
  `"${Array.from(name, (_, at) => `\\u${name.charCodeAt(at).toString(16).padStart(4, '0')}`).join('')}"`;

describe('The body of a request', () => {
  it('is read as JSON.parse reads it, when its numbers are safe', () => {
    const safe = fc.oneof(
      fc.maxSafeInteger(),
      fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e15, max: 1e15 }),
    );
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof(
        { depthSize: 'small' },
        safe,
        fc.boolean(),
        fc.constant(null),
        fc.string(),
        fc.array(tie('value')),
        fc.dictionary(fc.string(), tie('value'), { noNullPrototype: true }),
      ),
    }));
    fc.assert(
      fc.property(value, (sent) => {
        const text = JSON.stringify(sent);
        fc.pre(!/__proto__|constructor|prototype/.test(text));
        expect(parse(text)).toEqual(JSON.parse(text));
      }),
      { numRuns: 500 },
    );
  });

  it('keeps every integer, and is written as it came', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(10n ** 60n), max: 10n ** 60n }), (integer) => {
        const text = `{"n":[${integer}]}`;
        expect(stringifyExactJson(parse(text))).toBe(text);
      }),
    );
    expect(parse('[9007199254740991,9007199254740992]')).toEqual([9007199254740991, 9007199254740992n]);
  });

  it('holds no number that is not the one that was sent', () => {
    fc.assert(
      fc.property(fc.stringMatching(ANY_NUMBER), (number) => {
        const isRefused = refusal(`{"n":${number}}`) !== undefined;
        const read = isRefused ? String(Number(number)) : stringifyExactJson(parse(number));
        expect(Number.isFinite(Number(read)) && isSameNumber(read, number)).toBe(!isRefused);
      }),
      { numRuns: 2000 },
    );
  });

  it.each([
    '0.99999999999999999',
    '1.00000000000000001',
    '12345678901234.9999999',
    '9007199254740993.5',
    '9.007199254740993e15',
    '1e400',
    '1e-400',
  ])('is refused with a number that would be rounded: %s', (number) => {
    expect(refusal(`{"amount":${number}}`)).toBe(
      `The body has the number "${number}", which cannot be kept exactly. Write it with 15 digits or fewer, or send it as ` +
        'a string where a string may stand.',
    );
    expect(parse(`{"amount":"${number}"}`)).toEqual({ amount: number });
  });

  it.each([
    ['1.0', 1],
    ['1e2', 100],
    ['100.000000000000000000', 100],
    ['0.1', 0.1],
    ['-0', -0],
    ['1e22', 1e22],
  ])('is read with a number that is kept however it is spelt: %s', (text, number) => {
    expect(parse(`[${text}]`)).toEqual([number]);
  });

  it('is refused when a number has more than 1000 characters', () => {
    expect(parse('9'.repeat(1000))).toBe(10n ** 1000n - 1n);
    expect(refusal('9'.repeat(1001))).toMatch(/1000 characters/);
    expect(refusal(`0.${'0'.repeat(250_000)}1`)).toMatch(/1000 characters/);
  });

  it('is refused when an object has a member twice, wherever it is and however it is written', () => {
    const objects = fc.tuple(values.object, fc.nat(), values.value, fc.boolean());
    const around = fc.array(fc.constantFrom('list', 'object'), { maxLength: 4 });
    fc.assert(
      fc.property(objects, around, ([members, which, value, isEscaped], wraps) => {
        fc.pre(members.length > 0);
        const wrapped = (text: string) =>
          wraps.reduce((inner, wrap) => (wrap === 'list' ? `[0,${inner}]` : `{"a":{"b":1},"o":${inner}}`), text);
        const text = textOf(members);
        expect(refusal(wrapped(text))).toBeUndefined();
        const [name = ''] = members[which % members.length] ?? [];
        const again = isEscaped ? escaped(name) : JSON.stringify(name);
        expect(refusal(wrapped(`${text.slice(0, -1)},${again}:${value}}`))).toBe(
          `The body has the member "${name}" twice in one object.`,
        );
      }),
      { numRuns: 500 },
    );
  });

  it('is bounded in depth, members and values before it is read', () => {
    const members = (count: number) => `{${Array.from({ length: count }, (_, n) => `"k${n}":1`).join(',')}}`;
    const list = (count: number) => `[${Array.from({ length: count }, () => '1').join(',')}]`;
    expect(refusal('['.repeat(32) + ']'.repeat(32))).toBeUndefined();
    expect(refusal('['.repeat(33) + ']'.repeat(33))).toMatch(/deeper than 32 levels/);
    expect(refusal(members(200))).toBeUndefined();
    expect(refusal(members(201))).toMatch(/more than 200 members/);
    expect(refusal(list(4998))).toBeUndefined();
    expect(refusal(list(5000))).toMatch(/more than 5000 values/);
    expect(refusal(list(5000), 50_000)).toBeUndefined();
    expect(refusal(`[${'['.repeat(100_000)}`)).toMatch(/levels/);
  });

  it.each([
    ['NUL in a name', String.raw`{"a\u0000":1}`, /NUL/],
    ['NUL in a text', String.raw`[["\u0000"]]`, /NUL/],
    ['half of a surrogate pair in a name', String.raw`{"\ud800":1}`, /surrogate/],
    ['half of a surrogate pair in a text', String.raw`{"a":["\udc00"]}`, /surrogate/],
    ['a name that poisons prototypes', '{"a":[{"__proto__":1}]}', /__proto__/],
    ['the same in an escape', String.raw`{"constr\u0075ctor":1}`, /constructor/],
    ['the same twice', '{"__proto__":1,"__proto__":2}', /__proto__/],
    ['something that is no JSON', '{"a":1e}', /not valid JSON/],
    ['a byte order mark', '\ufeff{}', /not valid JSON/],
  ])('is refused with %s', (_, text, reason) => {
    expect(refusal(text)).toMatch(reason);
  });

  it('is refused when it is not UTF-8', () => {
    expect(() => parseRequestJson(Buffer.from('"é"', 'latin1'))).toThrow('UTF-8');
  });
});

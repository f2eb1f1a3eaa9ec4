import fc from 'fast-check';
import { describe, expect, it } from '@jest/globals';
import { ValidationError } from './app-error.js';
import { decodeCursor, encodeCursor, pageOf } from './cursor.js';

const SHAPE = { at: 'timestamp', id: 'uuid', sequence: 'bigint', page: 'integer', name: 'text' } as const;
const PARTS = {
  at: '2026-02-28T23:59:59.123456Z',
  id: '0195b6b0-1111-7222-8333-444455556666',
  sequence: '9223372036854775807',
  page: 3,
  name: 'Zoë',
};

function cursor(value: unknown): string {
  return Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
}

describe('decodeCursor', () => {
  it('reads back what encodeCursor wrote', () => {
    expect(decodeCursor(encodeCursor(PARTS), SHAPE)).toEqual(PARTS);
  });

  it.each([
    ['not base64url', '***'],
    ['empty', ''],
    ['not JSON', cursor('{')],
    ['not an object', cursor('[1]')],
    ['null', cursor('null')],
    ['too long', cursor({ ...PARTS, name: 'x'.repeat(2_000) })],
    ['a part missing', cursor({ ...PARTS, name: undefined })],
    ['a part too many', cursor({ ...PARTS, extra: 1 })],
    ['another list’s parts', cursor({ a: 1, b: 2, c: 3, d: 4, toString: 5 })],
    ['a bigint beyond int8', cursor({ ...PARTS, sequence: '9223372036854775808' })],
    ['a bigint that is not digits', cursor({ ...PARTS, sequence: '1e5' })],
    ['a number in place of text', cursor({ ...PARTS, sequence: 1 })],
    ['a fraction', cursor({ ...PARTS, page: 1.5 })],
    ['a uuid that is none', cursor({ ...PARTS, id: '1' })],
    ['a time without a zone', cursor({ ...PARTS, at: '2026-02-28T23:59:59' })],
    ['a day the month lacks', cursor({ ...PARTS, at: '2026-02-30T00:00:00Z' })],
    ['an hour the day lacks', cursor({ ...PARTS, at: '2026-02-28T25:00:00Z' })],
    ['text PostgreSQL refuses', cursor({ ...PARTS, name: 'a\0b' })],
  ])('refuses a cursor that is %s', (_what, text) => {
    expect(() => decodeCursor(text, SHAPE)).toThrow(ValidationError);
  });

  it('answers any garbage with a ValidationError', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json().map(cursor)), (text) => {
        expect(() => decodeCursor(text, SHAPE)).toThrow(ValidationError);
      }),
    );
  });
});

describe('pageOf', () => {
  const partsOf = (id: number) => ({ id });
  const itemOf = (id: number) => `#${id}`;

  it('points to the last row shown when there is one more', () => {
    const page = pageOf([9, 8, 7], 2, partsOf, itemOf);
    expect(page.data).toEqual(['#9', '#8']);
    expect(decodeCursor(page.nextCursor ?? '', { id: 'integer' })).toEqual({ id: 8 });
  });

  it.each([[[]], [[9]], [[9, 8]]])('has no next page after %j', (rows: number[]) => {
    expect(pageOf(rows, 2, partsOf, itemOf).nextCursor).toBeNull();
  });
});

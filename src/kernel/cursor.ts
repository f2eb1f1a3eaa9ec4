import { ValidationError } from './app-error.js';
import { isUuid } from './ids.js';

/** What a part of a cursor may hold; checked before it reaches SQL, because a cursor comes back from outside. */
export type CursorPart = 'integer' | 'bigint' | 'uuid' | 'timestamp' | 'text';

export type CursorShape = Readonly<Record<string, CursorPart>>;

/** An `integer` is a number; every other part is text. */
export type CursorOf<Shape extends CursorShape> = {
  [Name in keyof Shape]: Shape[Name] extends 'integer' ? number : string;
};

/** One page of a list: `nextCursor` asks for the next one, null on the last. */
export interface Page<Item> {
  data: Item[];
  nextCursor: string | null;
}

const MAX_CURSOR_LENGTH = 1_000;
const MAX_BIGINT = 2n ** 63n - 1n;
const TIMESTAMP = /^(?!0000)\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?Z$/;

const CHECKS: Readonly<Record<CursorPart, (value: unknown) => boolean>> = {
  integer: (value) => Number.isSafeInteger(value),
  bigint: (value) => typeof value === 'string' && /^-?\d{1,19}$/.test(value) && absolute(BigInt(value)) <= MAX_BIGINT,
  uuid: (value) => typeof value === 'string' && isUuid(value),
  // Date.parse refuses what PostgreSQL would answer 22008 for, except a day the month lacks, which it moves.
  timestamp: (value) =>
    typeof value === 'string' &&
    TIMESTAMP.test(value) &&
    !Number.isNaN(Date.parse(value)) &&
    new Date(value).toISOString().startsWith(value.slice(0, 10)),
  text: (value) => typeof value === 'string' && !value.includes('\0'),
};

/** An opaque text that marks where a page ended. Clients send it back unread. */
export function encodeCursor(parts: Readonly<Record<string, string | number>>): string {
  return Buffer.from(JSON.stringify(parts)).toString('base64url');
}

/**
 * Reads a cursor made by `encodeCursor`.
 *
 * @param shape the parts it must have, no more and no fewer
 * @throws ValidationError (400) for anything else
 */
export function decodeCursor<Shape extends CursorShape>(text: string, shape: Shape): CursorOf<Shape> {
  const parts = parse(text);
  if (!hasShape(parts, shape)) {
    throw ValidationError.of([{ path: 'cursor', message: 'cursor must be a nextCursor of the same list' }]);
  }
  return parts;
}

/**
 * Makes a page of rows that were read one more than asked for.
 *
 * @param rows up to `limit + 1`, in the list's order; the extra one says that there is a next page
 * @param partsOf what marks the place of a row
 */
export function pageOf<Row, Item>(
  rows: readonly Row[],
  limit: number,
  partsOf: (row: Row) => Readonly<Record<string, string | number>>,
  itemOf: (row: Row) => Item,
): Page<Item> {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  return {
    data: shown.map(itemOf),
    nextCursor: rows.length > limit && last !== undefined ? encodeCursor(partsOf(last)) : null,
  };
}

function parse(text: string): unknown {
  if (text.length > MAX_CURSOR_LENGTH || !/^[\w-]+$/.test(text)) return undefined;
  try {
    return JSON.parse(Buffer.from(text, 'base64url').toString('utf8'));
  } catch {
    return undefined;
  }
}

function hasShape<Shape extends CursorShape>(parts: unknown, shape: Shape): parts is CursorOf<Shape> {
  if (typeof parts !== 'object' || parts === null || Array.isArray(parts)) return false;
  const entries = Object.entries(parts);
  if (entries.length !== Object.keys(shape).length) return false;
  return entries.every(([name, value]) => {
    const part = Object.hasOwn(shape, name) ? shape[name] : undefined;
    return part !== undefined && CHECKS[part](value);
  });
}

function absolute(value: bigint): bigint {
  return value < 0n ? -value : value;
}

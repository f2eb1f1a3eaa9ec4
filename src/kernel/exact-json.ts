import { randomUUID } from 'node:crypto';
import { jsonShape, MAX_NESTING } from './json-shape.js';

export type JsonValue = string | number | bigint | boolean | null | JsonValue[] | JsonObject;
export interface JsonObject {
  [key: string]: JsonValue;
}

/**
 * `numeric` ends at 131072 digits before the point and 16383 after it; nobody means a number of more than this, and a
 * `bigint` of 256 KiB takes 65 ms to write.
 */
export const MAX_DIGITS = 1000;

/**
 * jsonb ends at 256 MiB for the elements of one array or object, and `1,` takes 12 to 16 bytes there: no text of this length
 * can get to the end.
 */
const MAX_LENGTH = 16 * 1024 * 1024;

/** 2^53 has 16 digits. Spelt out, it takes V8 a seventh of the time of `\d{16}`: 0.2 µs for 1.5 KB. */
const LONG_DIGIT_RUN = new RegExp('\\d'.repeat(16));
/** Whole numbers of 16 characters and more; whatever looks like part of one is. */
const LONG_NUMBER = /-?\d[\d.eE+-]{15,}/g;
const LONG_INTEGER = new RegExp(`^-?[1-9]\\d{15,${MAX_DIGITS - 1}}$`);

/** Stands before the digits of a `bigint` where `JSON.parse` and `JSON.stringify` must not see them. Nobody can guess it. */
const MARK = randomUUID();
const MARKED_DIGITS = new RegExp(`"${MARK}(-?\\d+)"`, 'g');

const SURROGATE = /[\uD800-\uDFFF]/;
const LONE_SURROGATE = /[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/;
/** A surrogate pair as one match; else `\uXXXX` in group 1; else any other escape, so that `\\u0000` is no NUL. */
const ESCAPE = /\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|u([0-9a-fA-F]{4})|[^u])/g;
const REFUSED_UNIT = /^(?:0000|[dD][89a-fA-F])/;

const LARGE_EXPONENT = /\d[eE][+-]?\d{4}/;
/** Only from the first of a run: from each of them it would take 500,000 steps for a number of 1000 digits. */
const REFUSED_NUMBER = new RegExp(`(?<!\\d)\\d{${MAX_DIGITS + 1}}|[eE][+-]?0*[1-9]\\d{3}`);

/**
 * `JSON.parse`, except that an integer beyond ±(2^53 − 1) comes back as an exact `bigint`, if it has no more than 1000
 * digits. The last of two equal keys wins and `__proto__` is an ordinary property, as there.
 *
 * V8 does the reading: a parser of our own takes three times as long, and ten times before it is compiled.
 *
 * @throws SyntaxError when `text` is not JSON, or nests deeper than `MAX_NESTING` and has a run of 16 digits
 */
export function parseExactJson(text: string): JsonValue {
  if (!LONG_DIGIT_RUN.test(text)) return JSON.parse(text);
  if (isNestedTooDeeply(text)) {
    throw new SyntaxError(
      `JSON with numbers of 16 digits is read to ${MAX_NESTING} levels of nesting; this goes deeper`,
    );
  }
  return unmarked(JSON.parse(withMarks(text)));
}

/**
 * `JSON.stringify`, but a `bigint` is written as its digits. The inverse of `parseExactJson`.
 *
 * @param indent spaces for each level; without it there is no white space
 */
export function stringifyExactJson(value: unknown, { indent }: { indent?: number } = {}): string {
  try {
    return JSON.stringify(value, null, indent);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    const marked = JSON.stringify(value, (_, member) => (typeof member === 'bigint' ? MARK + member : member), indent);
    return marked.replace(MARKED_DIGITS, '$1');
  }
}

/** Whether a JSON text has more than `MAX_NESTING` levels. */
export function isNestedTooDeeply(text: string): boolean {
  return hasManyBrackets(text) && jsonShape(Buffer.from(text)).depth > MAX_NESTING;
}

export function isJsonObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * False when PostgreSQL's `jsonb` would refuse a text that `JSON.parse` accepts: it has no U+0000, no half of a
 * surrogate pair, no number beyond `numeric`, and a stack that ends. Errs on the side of refusing: numbers of more than
 * 1000 digits or with an exponent from ±1000, more than `MAX_NESTING` levels, and texts of more than 16 Mi characters.
 *
 * @param text valid JSON; for anything else the answer means nothing
 */
export function isStorableAsJsonb(text: string): boolean {
  if (text.length > MAX_LENGTH) return false;
  if (SURROGATE.test(text) && LONE_SURROGATE.test(text)) return false;
  if (text.includes('\\u') && hasRefusedEscape(text)) return false;
  // Most bodies end here, about 1.5 µs per KB.
  if (!LONG_DIGIT_RUN.test(text) && !LARGE_EXPONENT.test(text) && !hasManyBrackets(text)) return true;
  const { depth, longNumbers } = jsonShape(Buffer.from(text));
  return depth <= MAX_NESTING && !longNumbers.some((number) => REFUSED_NUMBER.test(number));
}

/** With a list of one text in place of each long integer: no list may stand where no number may. */
function withMarks(text: string): string {
  let marked = '';
  let from = 0;
  for (let quote = text.indexOf('"'); quote !== -1; quote = text.indexOf('"', from)) {
    const end = endOfString(text, quote);
    marked += markNumbers(text.slice(from, quote)) + text.slice(quote, end);
    from = end;
  }
  return marked + markNumbers(text.slice(from));
}

function markNumbers(betweenStrings: string): string {
  return betweenStrings.replace(LONG_NUMBER, (number) => {
    return LONG_INTEGER.test(number) && !Number.isSafeInteger(Number(number)) ? `["${MARK}${number}"]` : number;
  });
}

/** The index after the closing quote, or the end of the text when there is none. */
function endOfString(text: string, openingQuote: number): number {
  let quote = text.indexOf('"', openingQuote + 1);
  while (quote !== -1 && isEscaped(text, quote)) quote = text.indexOf('"', quote + 1);
  return quote === -1 ? text.length : quote + 1;
}

function isEscaped(text: string, index: number): boolean {
  let backslashes = 0;
  while (text[index - 1 - backslashes] === '\\') backslashes++;
  return backslashes % 2 === 1;
}

/** Changes lists and objects in place. */
function unmarked(value: JsonValue): JsonValue {
  if (typeof value !== 'object' || value === null) return value;
  if (!Array.isArray(value)) {
    for (const key in value) {
      const member = value[key];
      if (typeof member === 'object') value[key] = unmarked(member);
    }
    return value;
  }
  const [first] = value;
  if (value.length === 1 && typeof first === 'string' && first.startsWith(MARK))
    return BigInt(first.slice(MARK.length));
  for (let index = 0; index < value.length; index++) {
    const item = value[index];
    if (typeof item === 'object') value[index] = unmarked(item);
  }
  return value;
}

function hasRefusedEscape(text: string): boolean {
  for (const [, unit] of text.matchAll(ESCAPE)) {
    if (unit !== undefined && REFUSED_UNIT.test(unit)) return true;
  }
  return false;
}

function hasManyBrackets(text: string): boolean {
  return text.length > 2 * MAX_NESTING && count(text, '{') + count(text, '[') > MAX_NESTING;
}

/** Up to one more than `MAX_NESTING`. */
function count(text: string, character: string): number {
  let found = 0;
  let index = text.indexOf(character);
  for (; index !== -1 && found <= MAX_NESTING; index = text.indexOf(character, index + 1)) found++;
  return found;
}

import { parse, stringify } from 'lossless-json';

export type JsonValue = string | number | bigint | boolean | null | JsonValue[] | JsonObject;
export interface JsonObject {
  [key: string]: JsonValue;
}

/** PostgreSQL's jsonb and lossless-json both recurse; 500 levels fit either one's stack many times over. */
const MAX_NESTING = 500;

/** `numeric` ends at 131072 digits before the point and 16383 after it; nobody means a number of more than this. */
const MAX_DIGITS = 1000;

/**
 * jsonb ends at 256 MiB for the elements of one array or object, and `1,` takes 12 to 16 bytes there: no text of this length
 * can get to the end.
 */
const MAX_LENGTH = 16 * 1024 * 1024;

/** 2^53 has 16 digits. Spelt out, it takes V8 a seventh of the time of `\d{16}`: 0.2 µs for 1.5 KB. */
const LONG_DIGIT_RUN = new RegExp('\\d'.repeat(16));
const INTEGER = /^-?\d+$/;

const SURROGATE = /[\uD800-\uDFFF]/;
const LONE_SURROGATE = /[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/;
/** A surrogate pair as one match; else `\uXXXX` in group 1; else any other escape, so that `\\u0000` is no NUL. */
const ESCAPE = /\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|u([0-9a-fA-F]{4})|[^u])/g;
const REFUSED_UNIT = /^(?:0000|[dD][89a-fA-F])/;

const LARGE_EXPONENT = /\d[eE][+-]?\d{4}/;
const REFUSED_NUMBER = new RegExp(`(?<!\\d)\\d{${MAX_DIGITS + 1}}|\\d[eE][+-]?0*[1-9]\\d{3}`);

/**
 * `JSON.parse`, except that an integer beyond ±(2^53 − 1) comes back as an exact `bigint`. The last of two equal keys
 * wins and `__proto__` is an ordinary property, as there.
 *
 * @throws SyntaxError when `text` is not JSON, or nests deeper than 500 levels and has a run of 16 digits
 */
export function parseExactJson(text: string): JsonValue {
  if (!LONG_DIGIT_RUN.test(text)) return JSON.parse(text);
  if (isNestedTooDeeply(withoutStrings(text))) {
    throw new SyntaxError(
      `JSON with numbers of 16 digits is read to ${MAX_NESTING} levels of nesting; this goes deeper`,
    );
  }
  // lossless-json says `unknown`, but builds nothing except JSON values and what parseNumber returns.
  return parse(text, null, { parseNumber: exactNumber, onDuplicateKey: ({ newValue }) => newValue }) as JsonValue;
}

/** `JSON.stringify` without white space, a `bigint` as its digits. The inverse of `parseExactJson`. */
export function stringifyExactJson(value: JsonValue): string {
  return stringify(value) ?? 'null';
}

export function isJsonObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * False when PostgreSQL's `jsonb` would refuse a text that `JSON.parse` accepts: it has no U+0000, no half of a
 * surrogate pair, no number beyond `numeric`, and a stack that ends. Errs on the side of refusing: numbers of more than
 * 1000 digits or with an exponent from ±1000, nesting beyond 500 levels, and texts of more than 16 Mi characters.
 *
 * @param text valid JSON; for anything else the answer means nothing
 */
export function isStorableAsJsonb(text: string): boolean {
  if (text.length > MAX_LENGTH) return false;
  if (SURROGATE.test(text) && LONE_SURROGATE.test(text)) return false;
  if (text.includes('\\u') && hasRefusedEscape(text)) return false;
  // Most bodies end here, about 1.5 µs per KB; what follows takes the strings out first and is ten times slower.
  if (!LONG_DIGIT_RUN.test(text) && !LARGE_EXPONENT.test(text) && !hasManyBrackets(text)) return true;
  const structure = withoutStrings(text);
  return !REFUSED_NUMBER.test(structure) && !isNestedTooDeeply(structure);
}

function exactNumber(digits: string): number | bigint {
  const number = Number(digits);
  return Number.isSafeInteger(number) || !INTEGER.test(digits) ? number : BigInt(digits);
}

function hasRefusedEscape(text: string): boolean {
  for (const [, unit] of text.matchAll(ESCAPE)) {
    if (unit !== undefined && REFUSED_UNIT.test(unit)) return true;
  }
  return false;
}

/** Not a regular expression: one that skips escaped quotes overflows V8's stack on a megabyte of escapes. */
function withoutStrings(text: string): string {
  const parts: string[] = [];
  let from = 0;
  for (let quote = text.indexOf('"'); quote !== -1; quote = text.indexOf('"', from)) {
    parts.push(text.slice(from, quote));
    from = endOfString(text, quote);
  }
  parts.push(text.slice(from));
  return parts.join('""');
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

function hasManyBrackets(text: string): boolean {
  return text.length > 2 * MAX_NESTING && count(text, '{') + count(text, '[') > MAX_NESTING;
}

function count(text: string, character: string): number {
  let found = 0;
  for (let index = text.indexOf(character); index !== -1; index = text.indexOf(character, index + 1)) found++;
  return found;
}

function isNestedTooDeeply(structure: string): boolean {
  let depth = 0;
  for (const [bracket] of structure.matchAll(/[[\]{}]/g)) {
    if (bracket === ']' || bracket === '}') depth--;
    else if (++depth > MAX_NESTING) return true;
  }
  return false;
}

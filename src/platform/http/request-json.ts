import { isUtf8 } from 'node:buffer';
import { ValidationError } from '../../kernel/app-error.js';
import { type JsonValue, MAX_DIGITS, parseExactJson } from '../../kernel/exact-json.js';
import { isKeptByDouble } from '../../kernel/exact-number.js';
import { jsonShape, repeatedMember } from '../../kernel/json-shape.js';

/** Deeper JSON than this serves nobody but an attacker. */
const MAX_DEPTH = 32;
/** Metadata is the widest there is. */
const MAX_MEMBERS = 200;
/** Room for the 2,048 values that fit into 4 KiB of metadata, and for a list of 200 addresses many times over. */
const MAX_VALUES = 5_000;

const INTEGER = /^-?\d+$/;
const POISONOUS = new Set(['__proto__', 'constructor', 'prototype']);
/** What is quoted in an error is as long as that. */
const MAX_QUOTED = 64;

/**
 * Reads the JSON of an API request: exactly, or not at all. An integer beyond ±(2^53 − 1) becomes a `bigint`; what no
 * number of ours holds exactly, what two readers could read in two ways (members that come twice), what PostgreSQL cannot
 * hold (NUL, half of a surrogate pair), what poisons prototypes and what is out of all proportion is refused here once, so
 * that nothing behind has to think of it.
 *
 * The size and shape are known before anything is read: what is anonymous must not take long.
 *
 * @param maxValues values in all
 * @throws ValidationError (400)
 */
export function parseRequestJson(body: Buffer, maxValues = MAX_VALUES): JsonValue {
  if (!isUtf8(body)) throw new ValidationError('The body is not valid UTF-8, which JSON must be.');
  const { depth, values, members, widest, longNumbers } = jsonShape(body);
  if (depth > MAX_DEPTH) throw new ValidationError(`The body is nested deeper than ${MAX_DEPTH} levels.`);
  if (values > maxValues) throw new ValidationError(`The body has more than ${maxValues} values.`);
  if (widest > MAX_MEMBERS) throw new ValidationError(`An object in the body has more than ${MAX_MEMBERS} members.`);
  const text = body.toString('utf8');
  const value = parse(text, longNumbers.length > 0);
  for (const number of longNumbers) refuseInexact(number);
  if (text.includes('\\u')) refuseUnstorable(value);
  if (membersOf(value) !== members) {
    throw new ValidationError(`The body has the member ${quoted(repeatedMember(body) ?? '')} twice in one object.`);
  }
  return value;
}

function parse(text: string, hasLongNumbers: boolean): JsonValue {
  try {
    return hasLongNumbers ? parseExactJson(text) : JSON.parse(text);
  } catch {
    throw new ValidationError('The body is not valid JSON.');
  }
}

function refuseInexact(number: string): void {
  if (number.length > MAX_DIGITS)
    throw new ValidationError(`The body has a number of more than ${MAX_DIGITS} characters.`);
  if (INTEGER.test(number) || isKeptByDouble(number)) return;
  throw new ValidationError(
    `The body has the number ${quoted(number)}, which cannot be kept exactly. Write it with 15 digits or fewer, or send ` +
      'it as a string where a string may stand.',
  );
}

/** How many members all objects have together: fewer than the text when it names one twice. */
function membersOf(value: JsonValue | undefined): number {
  if (typeof value !== 'object' || value === null) return 0;
  let members = 0;
  if (Array.isArray(value)) {
    for (const item of value) members += membersOf(item);
    return members;
  }
  for (const name in value) {
    if (POISONOUS.has(name)) throw new ValidationError(`The body may not contain the key "${name}".`);
    members += 1 + membersOf(value[name]);
  }
  return members;
}

/** Without an escape `\u…` there is neither: JSON has no bare control characters, and UTF-8 no halves of a pair. */
function refuseUnstorable(value: JsonValue): void {
  if (typeof value === 'string') refuseUnstorableText(value);
  if (typeof value !== 'object' || value === null) return;
  if (!Array.isArray(value)) Object.keys(value).forEach(refuseUnstorableText);
  Object.values(value).forEach(refuseUnstorable);
}

function refuseUnstorableText(text: string): void {
  if (text.includes('\0')) throw new ValidationError('The body may not contain the character NUL (\\u0000).');
  if (!text.isWellFormed()) {
    throw new ValidationError('The body may not contain half of a surrogate pair, such as \\ud800 alone.');
  }
}

function quoted(text: string): string {
  return text.length <= MAX_QUOTED ? `"${text}"` : `"${text.slice(0, MAX_QUOTED)}…"`;
}

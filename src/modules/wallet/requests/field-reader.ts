import { isCurrency } from '../../../kernel/currency.js';
import { stringifyExactJson } from '../../../kernel/exact-json.js';
import { MAX_AMOUNT } from '../../../kernel/money.js';
import { USER_ID } from '../../../kernel/user-id.js';
import { isTimestamp } from '../../../platform/http/index.js';
import { CATEGORY_PATTERN, MAX_DESCRIPTION, MAX_METADATA_BYTES, REFERENCE_PATTERN } from './bounds.js';

/** One wrong field: where it is, and what it must be. */
export interface Mistake {
  path: string;
  message: string;
}

const MAX_MINOR_UNITS = Number(MAX_AMOUNT);

const NOTHING: Readonly<Record<string, unknown>> = {};

/**
 * Reads the fields of one JSON object by hand and notes every mistake in it, one per field, the way the validation pipe
 * does. Not class-validator, which takes 11 µs for a transfer and 11 ms for a batch of 1,000 of them; this takes 0.5 µs
 * and 0.6 ms.
 *
 * A field that is wrong is read as an empty value: look into `mistakes` before using any.
 */
export class FieldReader {
  private readonly fields: Readonly<Record<string, unknown>>;

  /**
   * @param value what should be an object
   * @param known every field it may have
   * @param path of the object in the body, with a trailing dot; '' for the body itself
   */
  constructor(
    value: unknown,
    known: ReadonlySet<string>,
    private readonly mistakes: Mistake[],
    private readonly path = '',
  ) {
    if (!isObject(value)) {
      this.fields = NOTHING;
      mistakes.push({ path: path.slice(0, -1) || 'body', message: 'must be a JSON object' });
      return;
    }
    this.fields = value;
    for (const name in value) {
      if (!known.has(name)) mistakes.push({ path: path + name, message: `property ${name} should not exist` });
    }
  }

  userId(name: string): string {
    const value = this.fields[name];
    if (typeof value === 'string' && USER_ID.test(value)) return value;
    this.wrong(name, 'must be a text of 1 to 128 visible ASCII characters');
    return '';
  }

  optionalUserId(name: string): string | undefined {
    return this.fields[name] === undefined ? undefined : this.userId(name);
  }

  /** An amount of money: minor units. */
  amount(name: string): number {
    return this.wholeNumber(name, MAX_MINOR_UNITS);
  }

  /** Null is no amount: a sum that a client failed to compute must not mean the whole. */
  optionalAmount(name: string): number | undefined {
    return this.fields[name] === undefined ? undefined : this.amount(name);
  }

  optionalWholeNumber(name: string, max: number): number | undefined {
    return this.fields[name] === undefined ? undefined : this.wholeNumber(name, max);
  }

  currency(name: string): string {
    const value = this.fields[name];
    if (typeof value === 'string' && isCurrency(value)) return value;
    this.wrong(name, 'must be an ISO 4217 currency code such as USD');
    return '';
  }

  oneOf<Choice extends string>(name: string, choices: readonly [Choice, ...Choice[]]): Choice {
    const value = this.fields[name];
    const chosen = choices.find((choice) => choice === value);
    if (chosen !== undefined) return chosen;
    this.wrong(name, `must be one of the following values: ${choices.join(', ')}`);
    return choices[0];
  }

  description(name: string): string | undefined {
    const value = this.fields[name];
    if (value === undefined || value === null) return undefined;
    if (typeof value === 'string' && hasAtMost(MAX_DESCRIPTION, value)) return value;
    this.wrong(name, `must be a text of at most ${MAX_DESCRIPTION} characters`);
    return undefined;
  }

  category(name: string): string | undefined {
    return this.word(name, CATEGORY_PATTERN, 'must be 1 to 64 letters, digits or _ . : -');
  }

  reference(name: string): string | undefined {
    return this.word(name, REFERENCE_PATTERN, 'must be a text of 1 to 200 visible ASCII characters');
  }

  metadata(name: string): Record<string, unknown> | undefined {
    const value = this.fields[name];
    if (value === undefined || value === null) return undefined;
    if (!isObject(value) || Buffer.byteLength(stringifyExactJson(value)) > MAX_METADATA_BYTES) {
      this.wrong(name, `must be a JSON object of at most ${MAX_METADATA_BYTES} bytes`);
      return undefined;
    }
    if (!hasUnwieldyNumber(value)) return value;
    this.wrong(
      name,
      'must be a JSON object whose fractions and powers of ten are 0 or between 1e-6 and 1e21 in size; send others as texts',
    );
    return undefined;
  }

  optionalTimestamp(name: string): Date | undefined {
    const value = this.fields[name];
    if (value === undefined) return undefined;
    if (typeof value === 'string' && isTimestamp(value)) return new Date(value);
    this.wrong(name, 'must be a time such as 2026-01-31T09:30:00Z (RFC 3339)');
    return undefined;
  }

  /** A list of 1 to `max` items of any kind. */
  list(name: string, max: number): readonly unknown[] {
    const value: unknown = this.fields[name];
    if (Array.isArray(value) && value.length > 0 && value.length <= max) return value;
    this.wrong(name, `must be a list of 1 to ${max} items`);
    return [];
  }

  private wholeNumber(name: string, max: number): number {
    const value = this.fields[name];
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 1 && value <= max) return value;
    this.wrong(name, `must be an integer from 1 to ${max}`);
    return 1;
  }

  private word(name: string, pattern: RegExp, must: string): string | undefined {
    const value = this.fields[name];
    if (value === undefined || value === null) return undefined;
    if (typeof value === 'string' && pattern.test(value)) return value;
    this.wrong(name, must);
    return undefined;
  }

  private wrong(name: string, must: string): void {
    this.mistakes.push({ path: this.path + name, message: `${name} ${must}` });
  }
}

/**
 * jsonb spells numbers out: `1e308` comes back as 309 digits, and 4 KB of metadata as 180 KB in every statement. An integer
 * that comes spelt out is a `bigint` from 2^53 on, and may have any size.
 */
function hasUnwieldyNumber(value: unknown): boolean {
  if (typeof value === 'number') return value !== 0 && (Math.abs(value) >= 1e21 || Math.abs(value) < 1e-6);
  return typeof value === 'object' && value !== null && Object.values(value).some(hasUnwieldyNumber);
}

/** Characters, not halves of surrogate pairs; a text that is short enough by those need not be looked through. */
function hasAtMost(max: number, text: string): boolean {
  return text.length <= max || (text.length <= 2 * max && [...text].length <= max);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

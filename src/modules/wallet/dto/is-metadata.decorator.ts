import { ValidateBy } from 'class-validator';
import { stringifyExactJson } from '../../../kernel/exact-json.js';
import { inSchema } from '../../../platform/http/index.js';
import { METADATA } from './schemas.js';

const MAX_BYTES = 4096;

/** The property holds facts of the caller's own: a JSON object of up to 4 KiB, with numbers of ordinary size. */
export function IsMetadata(): PropertyDecorator {
  return ValidateBy(
    {
      name: 'isMetadata',
      validator: {
        validate: (value) => faultOf(value) === undefined,
        defaultMessage: (problem) => `${problem?.property} must be a JSON object ${faultOf(problem?.value)}`,
      },
    },
    inSchema(METADATA),
  );
}

function faultOf(value: unknown): string | undefined {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  if (!isObject || Buffer.byteLength(stringifyExactJson(value)) > MAX_BYTES) return `of at most ${MAX_BYTES} bytes`;
  if (!hasUnwieldyNumber(value)) return undefined;
  return 'whose fractions and powers of ten are 0 or between 1e-6 and 1e21 in size; send others as texts';
}

/**
 * jsonb spells numbers out: `1e308` comes back as 309 digits, and 4 KB of metadata as 180 KB in every statement. An integer
 * that comes spelt out is a `bigint` from 2^53 on, and may have any size.
 */
function hasUnwieldyNumber(value: unknown): boolean {
  if (typeof value === 'number') return value !== 0 && (Math.abs(value) >= 1e21 || Math.abs(value) < 1e-6);
  return typeof value === 'object' && value !== null && Object.values(value).some(hasUnwieldyNumber);
}

import { ValidateBy, type ValidationOptions } from 'class-validator';
import { inSchema } from '../../platform/http/index.js';

const MAX_LIMITS = 50;
const NAME = /^[A-Za-z][A-Za-z0-9_.:-]{0,63}$/;

/** An object of non-negative integers by name of the limit: `{ "perMinute": 600 }`. */
export const IsLimits = (options?: ValidationOptions) =>
  ValidateBy(
    {
      name: 'isLimits',
      validator: {
        validate: isLimits,
        defaultMessage: (args) =>
          `${args?.property ?? 'limits'} must be an object of at most ${MAX_LIMITS} non-negative integers by name`,
      },
    },
    inSchema(
      {
        type: 'object',
        additionalProperties: { type: 'integer', minimum: 0, maximum: Number.MAX_SAFE_INTEGER },
        propertyNames: { pattern: NAME.source },
        maxProperties: MAX_LIMITS,
      },
      options,
    ),
  );

function isLimits(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const entries = Object.entries(value);
  return entries.length <= MAX_LIMITS && entries.every(([name, limit]) => NAME.test(name) && isCount(limit));
}

function isCount(value: unknown): boolean {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

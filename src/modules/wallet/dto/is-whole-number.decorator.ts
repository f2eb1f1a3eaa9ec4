import { ValidateBy } from 'class-validator';
import { MAX_AMOUNT } from '../../../kernel/money.js';
import { inSchema } from '../../../platform/http/index.js';
import { MINOR_UNITS } from './schemas.js';

/** The property is an integer from 1 to `max`; one from 2^53 on arrives as a `bigint`, and is none. */
export function IsWholeNumber(max: number, schema: object = {}): PropertyDecorator {
  return ValidateBy(
    {
      name: 'isWholeNumber',
      validator: {
        validate: (value) => typeof value === 'number' && Number.isSafeInteger(value) && value >= 1 && value <= max,
        defaultMessage: (problem) => `${problem?.property} must be an integer from 1 to ${max}`,
      },
    },
    inSchema({ type: 'integer', minimum: 1, maximum: max, ...schema }),
  );
}

/** The property is an amount of money to move, in minor units. */
export function IsAmount(): PropertyDecorator {
  return IsWholeNumber(Number(MAX_AMOUNT), MINOR_UNITS);
}

import { ValidateBy } from 'class-validator';
import { inSchema } from '../../../platform/http/index.js';

const DECIMAL = /^\d{1,16}(?:\.\d{1,4})?$/;

/** The property is an amount in major units: a JSON number, or a text of digits with at most one point. */
export function IsDecimal(): PropertyDecorator {
  return ValidateBy(
    {
      name: 'isDecimal',
      validator: {
        validate: (value) => (typeof value === 'number' || typeof value === 'string') && DECIMAL.test(String(value)),
        defaultMessage: (problem) => `${problem?.property} must be a decimal such as 10.1, as a number or a text`,
      },
    },
    inSchema({ oneOf: [{ type: 'number' }, { type: 'string', pattern: DECIMAL.source }] }),
  );
}

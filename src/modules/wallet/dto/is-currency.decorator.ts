import { getSchemaPath } from '@nestjs/swagger';
import { ValidateBy } from 'class-validator';
import { isCurrency } from '../../../kernel/currency.js';
import { inSchema } from '../../../platform/http/index.js';
import { CURRENCY } from './schemas.js';

/** The property is the code of a currency, ISO 4217. */
export function IsCurrency(): PropertyDecorator {
  return ValidateBy(
    {
      name: 'isCurrency',
      validator: {
        validate: (value: unknown) => typeof value === 'string' && isCurrency(value),
        defaultMessage: (problem) => `${problem?.property} must be an ISO 4217 currency code such as USD`,
      },
    },
    // `enum`: of the property's type Nest makes a list of all codes, which stands in the document once already.
    inSchema({ allOf: [{ $ref: getSchemaPath(CURRENCY.enumName) }], enum: undefined, example: CURRENCY.example }),
  );
}

import { ValidateBy } from 'class-validator';
import { isCurrency } from '../../../kernel/currency.js';

/** The property is the code of a currency, ISO 4217. */
export function IsCurrency(): PropertyDecorator {
  return ValidateBy({
    name: 'isCurrency',
    validator: {
      validate: (value: unknown) => typeof value === 'string' && isCurrency(value),
      defaultMessage: (problem) => `${problem?.property} must be an ISO 4217 currency code such as USD`,
    },
  });
}

import { ValidateBy, type ValidationOptions } from 'class-validator';
import { emailAddress } from '../../kernel/email-address.js';

/** True for what `emailAddress` takes. */
export function isEmailAddress(value: unknown): boolean {
  return typeof value === 'string' && emailAddress(value) !== undefined;
}

/** The property is an e-mail address, in any spelling: it is stored and compared as `emailAddress` writes it. */
export function IsEmailAddress(options?: ValidationOptions): PropertyDecorator {
  return ValidateBy(
    {
      name: 'isEmailAddress',
      validator: {
        validate: isEmailAddress,
        defaultMessage: (problem) => `${problem?.property} must be an e-mail address`,
      },
    },
    options,
  );
}

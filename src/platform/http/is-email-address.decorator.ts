import { applyDecorators } from '@nestjs/common';
import { Transform } from 'class-transformer';
import { ValidateBy } from 'class-validator';
import { emailAddress } from '../../kernel/email-address.js';
import { inSchema } from './in-schema.js';

/** The property is an `EmailAddress`: whatever spelling was sent, it arrives as `emailAddress` writes it. */
export function IsEmailAddress(): PropertyDecorator {
  return applyDecorators(
    Transform(({ value }: { value: unknown }) => (typeof value === 'string' ? (emailAddress(value) ?? value) : value)),
    ValidateBy(
      {
        name: 'isEmailAddress',
        validator: {
          validate: (value) => typeof value === 'string' && emailAddress(value) !== undefined,
          defaultMessage: (problem) => `${problem?.property} must be an e-mail address`,
        },
      },
      inSchema({ type: 'string', format: 'email', example: 'ann@example.com' }),
    ),
  );
}

import { applyDecorators } from '@nestjs/common';
import { ApiProperty } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { ValidateBy } from 'class-validator';
import { emailAddress } from '../../kernel/email-address.js';

/** The property is an `EmailAddress`: whatever spelling was sent, it arrives as `emailAddress` writes it. */
export function IsEmailAddress(): PropertyDecorator {
  return applyDecorators(
    ApiProperty({ type: String, format: 'email', example: 'ann@example.com' }),
    Transform(({ value }: { value: unknown }) => (typeof value === 'string' ? (emailAddress(value) ?? value) : value)),
    ValidateBy({
      name: 'isEmailAddress',
      validator: {
        validate: (value) => typeof value === 'string' && emailAddress(value) !== undefined,
        defaultMessage: (problem) => `${problem?.property} must be an e-mail address`,
      },
    }),
  );
}

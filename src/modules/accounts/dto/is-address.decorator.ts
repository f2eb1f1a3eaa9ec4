import { applyDecorators } from '@nestjs/common';
import { ApiProperty } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { emailAddress } from '../../../kernel/email-address.js';
import { IsEmailAddress } from '../../../platform/http/index.js';

/** An `EmailAddress`: whatever spelling was sent, it arrives in its one form. */
export function IsAddress(): PropertyDecorator {
  return applyDecorators(
    ApiProperty({ type: String, format: 'email', example: 'ann@example.com' }),
    Transform(({ value }: { value: unknown }) => (typeof value === 'string' ? (emailAddress(value) ?? value) : value)),
    IsEmailAddress(),
  );
}

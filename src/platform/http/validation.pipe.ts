import { ValidationPipe } from '@nestjs/common';
import type { ValidationError as FieldError } from 'class-validator';
import { ValidationError } from '../../kernel/app-error.js';

/** Checks every body and query against its DTO; unknown fields are refused, all mistakes are named at once. */
export function validationPipe(): ValidationPipe {
  return new ValidationPipe({
    whitelist: true,
    forbidNonWhitelisted: true,
    forbidUnknownValues: true,
    transform: true,
    stopAtFirstError: true,
    exceptionFactory: (errors) => ValidationError.of(errors.flatMap((error) => flatten(error))),
  });
}

function flatten(error: FieldError, parent = ''): { path: string; message: string }[] {
  const path = parent === '' ? error.property : `${parent}.${error.property}`;
  const own = Object.values(error.constraints ?? {}).map((message) => ({ path, message }));
  return [...own, ...(error.children ?? []).flatMap((child) => flatten(child, path))];
}

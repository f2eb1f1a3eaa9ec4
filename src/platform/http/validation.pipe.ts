import { type ArgumentMetadata, ValidationPipe } from '@nestjs/common';
import type { ValidationError as FieldError } from 'class-validator';
import { ValidationError } from '../../kernel/app-error.js';
import { neededFields } from './needs-one-of.decorator.js';

/** Nest takes a body that is missing for an empty object: where no field is required, that would be a change of nothing. */
class RequestPipe extends ValidationPipe {
  override async transform(value: unknown, metadata: ArgumentMetadata): Promise<unknown> {
    const { type, metatype } = metadata;
    if (type !== 'body' || metatype === undefined || !this.toValidate(metadata))
      return super.transform(value, metadata);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw refusal('body', 'must be a JSON object');
    }
    const body: unknown = await super.transform(value, metadata);
    const needed = neededFields(metatype);
    if (needed !== undefined) requireOneOf(needed, value);
    return body;
  }
}

/** Checks every body and query against its DTO; unknown fields are refused, all mistakes are named at once. */
export function validationPipe(): ValidationPipe {
  return new RequestPipe({
    whitelist: true,
    forbidNonWhitelisted: true,
    forbidUnknownValues: true,
    transform: true,
    stopAtFirstError: true,
    exceptionFactory: (errors) => ValidationError.of(errors.flatMap((error) => flatten(error))),
  });
}

function requireOneOf(fields: readonly string[], body: object): void {
  const [first] = fields;
  if (first === undefined) {
    if (Object.keys(body).length === 0) throw refusal('body', 'must have a field to change');
  } else if (!fields.some((name) => Object.hasOwn(body, name))) {
    throw refusal(first, `${fields.join(' or ')} must be given`);
  }
}

function refusal(path: string, message: string): ValidationError {
  return ValidationError.of([{ path, message }]);
}

function flatten(error: FieldError, parent = ''): { path: string; message: string }[] {
  const path = parent === '' ? error.property : `${parent}.${error.property}`;
  const own = Object.values(error.constraints ?? {}).map((message) => ({ path, message }));
  return [...own, ...(error.children ?? []).flatMap((child) => flatten(child, path))];
}

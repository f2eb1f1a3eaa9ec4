import { ValidateIf } from 'class-validator';

/** The property may be left out. Unlike with `IsOptional`, null is a value like any other and has to pass the checks. */
export function IsOmittable(): PropertyDecorator {
  return ValidateIf((_, value) => value !== undefined);
}

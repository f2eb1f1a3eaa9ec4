import { ValidateBy, type ValidationOptions } from 'class-validator';
import { inSchema } from './in-schema.js';

const RFC_3339 =
  /^((?!0000)\d{4}-\d\d-\d\d)T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,9})?(?:Z|[+-](?:0\d|1[0-4]):[0-5]\d)$/;

/** For the OpenAPI document: what `isTimestamp` takes, but for the days of a month. */
export const TIMESTAMP = { type: 'string', format: 'date-time', pattern: RFC_3339.source } as const;

/** RFC 3339 with a time zone, on a day its month has: every value that passes is one PostgreSQL takes. */
export function isTimestamp(value: unknown): boolean {
  const day = typeof value === 'string' ? RFC_3339.exec(value)?.[1] : undefined;
  if (day === undefined) return false;
  const time = Date.parse(`${day}T00:00:00Z`);
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(day);
}

/** The property is a time such as `2026-01-31T09:30:00Z`. */
export function IsTimestamp(options?: ValidationOptions): PropertyDecorator {
  return ValidateBy(
    {
      name: 'isTimestamp',
      validator: {
        validate: isTimestamp,
        defaultMessage: (problem) => `${problem?.property} must be a time such as 2026-01-31T09:30:00Z (RFC 3339)`,
      },
    },
    inSchema(TIMESTAMP, options),
  );
}

import { KEY_PATTERN } from '../platform/idempotency/index.js';
import type { Route } from './routes.js';

/** The header of a route that takes idempotency keys. */
export function describeIdempotencyKey({ operation, idempotent }: Route): void {
  if (idempotent === null) return;
  operation.parameters = [
    ...(operation.parameters ?? []),
    {
      name: 'Idempotency-Key',
      in: 'header',
      required: idempotent.required,
      description:
        'Repeats with the same key get the first answer. 16 to 128 of A-Z, a-z, 0-9, "-" and "_", for example a UUID. ' +
        '`X-Idempotency-Key` is the same.',
      schema: { type: 'string', pattern: KEY_PATTERN.source },
    },
  ];
}

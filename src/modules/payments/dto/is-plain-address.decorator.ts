import { ValidateBy } from 'class-validator';
import { isIP } from 'node:net';
import { inSchema } from '../../../platform/http/index.js';

/** The property is an IP address, v4 or v6, without a zone. */
export function IsPlainAddress(): PropertyDecorator {
  return ValidateBy(
    {
      name: 'isPlainAddress',
      validator: {
        validate: (value) => typeof value === 'string' && isIP(value) !== 0 && !value.includes('%'),
        defaultMessage: (problem) => `${problem?.property} must be an IP address such as 198.51.100.7`,
      },
    },
    inSchema({ type: 'string', anyOf: [{ format: 'ipv4' }, { format: 'ipv6' }], example: '198.51.100.7' }),
  );
}

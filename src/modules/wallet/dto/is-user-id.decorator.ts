import { ValidateBy } from 'class-validator';
import { USER_ID } from '../../../kernel/user-id.js';
import { inSchema } from '../../../platform/http/index.js';

/** The property says whose account: 1 to 128 visible ASCII characters. */
export function IsUserId(): PropertyDecorator {
  return ValidateBy(
    {
      name: 'isUserId',
      validator: {
        validate: (value) => typeof value === 'string' && USER_ID.test(value),
        defaultMessage: (problem) => `${problem?.property} must be a text of 1 to 128 visible ASCII characters`,
      },
    },
    inSchema({ type: 'string', pattern: USER_ID.source }),
  );
}

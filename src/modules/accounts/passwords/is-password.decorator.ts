import { ValidateBy } from 'class-validator';
import { inSchema } from '../../../platform/http/index.js';
import { isCommonPassword } from './common-passwords.js';

const MIN_LENGTH = 10;
export const MAX_LENGTH = 128;

/** What is wrong with a password somebody wants; undefined when nothing is. Length counts Unicode code points after NFKC. */
function fault(value: unknown): string | undefined {
  if (typeof value !== 'string') return 'must be a string';
  // Before they are counted: a megabyte of letters is no password.
  const length = value.length > 4 * MAX_LENGTH ? value.length : [...value.normalize('NFKC')].length;
  if (length < MIN_LENGTH || length > MAX_LENGTH) return `must have ${MIN_LENGTH} to ${MAX_LENGTH} characters`;
  if (isCommonPassword(value)) return 'is one of the first that anybody would try; take another';
  return undefined;
}

/** A password as it is chosen: 10 to 128 characters of any kind, and none of the common ones (NIST SP 800-63B, 5.1.1). */
export function IsPassword(): PropertyDecorator {
  return ValidateBy(
    {
      name: 'isPassword',
      validator: {
        validate: (value) => fault(value) === undefined,
        defaultMessage: (problem) => `${problem?.property} ${fault(problem?.value)}`,
      },
    },
    inSchema({ type: 'string', format: 'password', minLength: MIN_LENGTH, maxLength: MAX_LENGTH }),
  );
}

import { ValidateBy } from 'class-validator';
import { inSchema } from '../../../platform/http/index.js';

/** Characters. */
const MAX_LENGTH = 500;

/** The property is a text for people, of up to 500 characters. */
export function IsDescription(): PropertyDecorator {
  return ValidateBy(
    {
      name: 'isDescription',
      validator: {
        validate: (value) => typeof value === 'string' && hasAtMost(MAX_LENGTH, value),
        defaultMessage: (problem) => `${problem?.property} must be a text of at most ${MAX_LENGTH} characters`,
      },
    },
    inSchema({ type: 'string', maxLength: MAX_LENGTH }),
  );
}

/**
 * Characters, not halves of surrogate pairs; a text that is short enough by those need not be looked through. `MaxLength` does
 * not count the selectors U+FE0E and U+FE0F, which PostgreSQL does.
 */
function hasAtMost(max: number, text: string): boolean {
  return text.length <= max || (text.length <= 2 * max && [...text].length <= max);
}

import { ValidateBy } from 'class-validator';
import { inSchema } from '../../../platform/http/index.js';

const MAX_FACTS = 5;
const MAX_LENGTH = 255;

/** The property holds texts to find metadata by: `metadata.<key>=<value>` in a query. */
export function IsMetadataFilter(): PropertyDecorator {
  return ValidateBy(
    {
      name: 'isMetadataFilter',
      validator: {
        validate: (value) => isFilter(value),
        defaultMessage: (problem) =>
          `${problem?.property} is sent as metadata.<key>=<value>, at most ${MAX_FACTS} of them, each once, of up to ${MAX_LENGTH} characters`,
      },
    },
    inSchema({ type: 'object', additionalProperties: { type: 'string' } }),
  );
}

function isFilter(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const facts = Object.entries(value);
  return (
    facts.length <= MAX_FACTS &&
    facts.every(
      ([key, text]) => key !== '' && typeof text === 'string' && text.length <= MAX_LENGTH && !text.includes('\0'),
    )
  );
}

import type { Schemas } from './inputs.js';

/**
 * TypeScript knows one kind of number, the API two: all of its numbers are whole (minor units, counts, seconds) but those
 * with a `format` of their own.
 */
export function describeWholeNumbers(schemas: Schemas): void {
  for (const schema of Object.values(schemas)) {
    if ('$ref' in schema) continue;
    for (const property of Object.values(schema.properties ?? {})) {
      if ('$ref' in property || property.format !== undefined) continue;
      if (property.type === 'number') property.type = 'integer';
      else if (Array.isArray(property.type)) {
        property.type = property.type.map((type) => (type === 'number' ? 'integer' : type));
      }
    }
  }
}

import type { ValidationOptions } from 'class-validator';

/** Keywords of JSON Schema. */
type Keywords = Readonly<Record<string, unknown>>;

const CONTEXT = 'schema';

/**
 * For a rule of our own (`ValidateBy`): what it means in the OpenAPI document, said where it is made.
 *
 * @param options of the decorator
 */
export function inSchema(keywords: Keywords, options: ValidationOptions = {}): ValidationOptions {
  return { ...options, context: { [CONTEXT]: keywords } };
}

/** What `inSchema` said, of the context of a rule; undefined when it did not. */
export function schemaOfRule(context: unknown): Keywords | undefined {
  if (typeof context !== 'object' || context === null || !(CONTEXT in context)) return undefined;
  const { [CONTEXT]: keywords } = context;
  return typeof keywords === 'object' && keywords !== null ? { ...keywords } : undefined;
}

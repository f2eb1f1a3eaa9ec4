import { Reflector } from '@nestjs/core';

const FIELDS = Reflector.createDecorator<readonly string[]>();

type Dto = abstract new (...args: never[]) => unknown;

/**
 * A body of this class in which none of these fields is given is refused with 400, for it asks for nothing. Without
 * names: any field will do.
 */
export function NeedsOneOf(...fields: readonly string[]): ClassDecorator {
  return FIELDS(fields);
}

/** @returns the fields; empty: any; undefined when the class, apart from those it extends, asks for none */
export function neededFields(target: Dto): readonly string[] | undefined {
  const fields: readonly string[] | undefined = Reflect.getOwnMetadata(FIELDS.KEY, target);
  return fields;
}

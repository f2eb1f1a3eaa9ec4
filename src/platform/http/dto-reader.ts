import type { Type } from '@nestjs/common';
import { ValidationError } from '../../kernel/app-error.js';
import { type Field, fieldsOf } from './dto-fields.js';
import { neededFields } from './needs-one-of.decorator.js';

/** One wrong field: where it is, and what is wrong with it. */
interface Mistake {
  path: string;
  message: string;
}

/** @param path of what was sent, with a trailing dot; '' for the body itself */
type Read<Dto> = (sent: object, path: string, mistakes: Mistake[]) => Dto;

/**
 * Compiles the decorators of a DTO into a function that makes an object of its class of a body or a query: unknown fields are
 * refused, the first broken rule of each field is named, and all mistakes at once, as class-validator does it. The rules are
 * class-validator's own, what stands around them is not: with it a transfer takes 12 µs and a batch of 1,000 11 ms, in
 * which nothing else runs; so they take 0.3 µs and 0.3 ms, and read by hand, field by field, 0.2 µs and 0.25 ms.
 *
 * @returns the function; what is not sent at all counts as an object without fields. It throws ValidationError (400)
 * @throws TypeError for a decorator it does not go by
 */
export function readerOf<Dto>(dto: Type<Dto>): (sent: unknown) => Dto {
  const read = compile(dto);
  const needed = neededFields(dto);
  return (sent = {}) => {
    if (!isObject(sent)) throw ValidationError.of([{ path: 'body', message: 'must be a JSON object' }]);
    const mistakes: Mistake[] = [];
    const made = read(sent, '', mistakes);
    if (needed !== undefined && mistakes.length === 0) requireOneOf(needed, sent, mistakes);
    if (mistakes.length > 0) throw ValidationError.of(mistakes);
    return made;
  };
}

/**
 * Written out as code, field by field, so that the engine knows the shapes and can inline: loops over the fields take more
 * than twice as long. No text but the fields' names gets into it.
 */
function compile<Dto>(dto: Type<Dto>): Read<Dto> {
  const fields = fieldsOf(dto);
  const known: Record<string, unknown> = { Dto: dto, names: new Set(fields.map(({ name }) => name)) };
  const use = (value: unknown): string => {
    const name = `$${Object.keys(known).length}`;
    known[name] = value;
    return name;
  };
  const code = `return function read(sent, path, mistakes) {
    for (const name in sent) {
      if (!names.has(name)) mistakes.push({ path: path + name, message: 'property ' + name + ' should not exist' });
    }
    const dto = new Dto();
    let value, message;
    ${fields.map((field) => taking(field, use)).join('\n')}
    ${fields.map((field) => checking(field, use)).join('\n')}
    return dto;
  };`;
  // oxlint-disable-next-line typescript/no-implied-eval -- of our own decorators, when the class is first used
  return new Function(...Object.keys(known), code)(...Object.values(known));
}

type Use = (value: unknown) => string;

/** All fields are taken before any is checked: a condition may look at another one. */
function taking({ name, conversions }: Field, use: Use): string {
  const key = JSON.stringify(name);
  const converted = conversions.reduce((value, convert) => `${use(convert)}(${value}, sent)`, 'value');
  return `value = sent[${key}]; if (value !== undefined) dto[${key}] = ${converted};`;
}

function checking({ name, conditions, rules, nested }: Field, use: Use): string {
  const key = JSON.stringify(name);
  const holds = conditions.map((condition) => `${use(condition)}(dto, value)`).join(' && ') || 'true';
  const broken = rules.map((rule) => `${use(rule)}(value, dto)`).join(' ?? ') || 'undefined';
  const within =
    nested &&
    `else if (value !== undefined) dto[${key}] = ${use(nestedReader(nested))}(value, path + ${key}, mistakes);`;
  return `value = dto[${key}];
    if (${holds}) {
      message = ${broken};
      if (message !== undefined) mistakes.push({ path: path + ${key}, message });
      ${within ?? ''}
    }`;
}

/** @returns what reads the value of a field; its path has no trailing dot */
function nestedReader({ type, isList, message }: NonNullable<Field['nested']>) {
  const read = compile(type);
  const readOne = (sent: unknown, path: string, mistakes: Mistake[]): unknown => {
    if (isObject(sent)) return read(sent, `${path}.`, mistakes);
    mistakes.push({ path, message });
    return undefined;
  };
  if (!isList) return readOne;
  return (sent: unknown, path: string, mistakes: Mistake[]): unknown => {
    if (Array.isArray(sent)) return sent.map((item, index) => readOne(item, `${path}.${index}`, mistakes));
    mistakes.push({ path, message });
    return undefined;
  };
}

/** A body of nothing would be a change of nothing. */
function requireOneOf(fields: readonly string[], body: object, mistakes: Mistake[]): void {
  const [first] = fields;
  if (first === undefined) {
    if (Object.keys(body).length === 0) mistakes.push({ path: 'body', message: 'must have a field to change' });
  } else if (!fields.some((name) => Object.hasOwn(body, name))) {
    mistakes.push({ path: first, message: `${fields.join(' or ')} must be given` });
  }
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

import type { Type } from '@nestjs/common';
import type { OpenAPIObject } from '@nestjs/swagger';
import { neededFields, declaredTypeOf } from '../platform/http/index.js';
import type { Operation, Route } from './routes.js';
import { type FieldRules, validationRulesOf } from './validation-rules.js';

export type Schemas = NonNullable<NonNullable<OpenAPIObject['components']>['schemas']>;
type Schema = Schemas[string];
type ObjectSchema = Exclude<Schema, { $ref: string }>;

/** No text may hold U+0000; `parseRequestJson` and `refuseOddRequests` see to that before any rule is asked. */
const NO_NUL = '^[^\\u0000]*$';

/** Puts what is checked of bodies and queries into their schemas, and closes the bodies: unknown fields are refused. */
export function describeInputs(routes: readonly Route[], schemas: Schemas): void {
  const described = new Set<Type>();
  for (const { operation, body, query } of routes) {
    if (body !== undefined) describeDto(body, schemas, described);
    if (query !== undefined) describeQuery(operation, query);
    describePath(operation);
  }
  const closed = new Set<Schema>();
  for (const { operation } of routes) for (const schema of bodySchemas(operation)) close(schema, schemas, closed);
}

function describeDto(dto: Type, schemas: Schemas, described: Set<Type>): void {
  const schema = schemas[dto.name];
  if (schema === undefined || '$ref' in schema || described.has(dto)) return;
  described.add(dto);
  const rules = [...validationRulesOf(dto)];
  const before = schema.properties ?? {};
  const properties = rules.map(([field, rule]): [string, Schema] => {
    const property = withRules(before[field] ?? {}, rule);
    return [field, rule.nullable ? orNull(property) : property];
  });
  schema.properties = { ...before, ...Object.fromEntries(properties) };
  schema.required = rules.filter(([, { optional }]) => !optional).map(([field]) => field);
  if (schema.required.length === 0) delete schema.required;
  const needed = neededFields(dto);
  if (needed?.length === 0) schema.minProperties = 1;
  else if (needed !== undefined) schema.anyOf = needed.map((field) => ({ required: [field] }));
  for (const [field] of rules) {
    const type = declaredTypeOf(dto, field);
    if (type !== undefined) describeDto(type, schemas, described);
  }
}

/** What is named by `:id` alone is ours: a UUID. */
function describePath({ parameters = [] }: Operation): void {
  for (const parameter of parameters) {
    if ('$ref' in parameter || parameter.in !== 'path') continue;
    parameter.schema = { type: 'string', ...(parameter.name === 'id' && { format: 'uuid' }), ...parameter.schema };
  }
}

function describeQuery(operation: Operation, query: Type): void {
  const parameters = (operation.parameters ??= []);
  for (const [name, rule] of validationRulesOf(query)) {
    const known = parameters.find((each) => !('$ref' in each) && each.in === 'query' && each.name === name);
    const schema = withRules(known !== undefined && !('$ref' in known) ? (known.schema ?? {}) : {}, rule);
    describeText(schema);
    const described = { name, in: 'query' as const, required: !rule.optional, schema };
    if (known === undefined) parameters.push(described);
    else Object.assign(known, described);
  }
}

function withRules(schema: Schema, { own, items }: FieldRules): ObjectSchema {
  const base: ObjectSchema = '$ref' in schema ? { allOf: [schema] } : schema;
  const described = Object.assign({ ...base }, own);
  return Object.keys(items).length === 0 ? described : { ...described, items: Object.assign({ ...base.items }, items) };
}

function orNull(schema: ObjectSchema): ObjectSchema {
  const { type } = schema;
  if (typeof type !== 'string') return { anyOf: [schema, Object.assign({}, { type: 'null' })] };
  return { ...schema, type: [type, 'null'], ...(schema.enum && { enum: [...schema.enum, null] }) };
}

function bodySchemas({ requestBody }: Operation): Schema[] {
  if (requestBody === undefined || '$ref' in requestBody) return [];
  return Object.values(requestBody.content).flatMap(({ schema }) => (schema === undefined ? [] : [schema]));
}

/** Where nothing narrower says which characters there may be. */
function describeText(schema: ObjectSchema): void {
  const isAnyText = [schema.type].flat().includes('string') && !(schema.enum ?? schema.pattern ?? schema.allOf);
  if (isAnyText && (schema.format === undefined || schema.format === 'password')) schema.pattern = NO_NUL;
}

/** An object with fields of its own has no other ones; one without (`metadata`) is the caller's. */
function close(schema: Schema, schemas: Schemas, closed: Set<Schema>): void {
  if (closed.has(schema)) return;
  closed.add(schema);
  if ('$ref' in schema) {
    const named = schemas[schema.$ref.slice(schema.$ref.lastIndexOf('/') + 1)];
    if (named !== undefined) close(named, schemas, closed);
    return;
  }
  describeText(schema);
  if (schema.properties !== undefined) schema.additionalProperties ??= false;
  const { properties = {}, items, allOf = [], anyOf = [], oneOf = [] } = schema;
  const inside = [...Object.values(properties), ...allOf, ...anyOf, ...oneOf, ...(items === undefined ? [] : [items])];
  for (const each of inside) close(each, schemas, closed);
}

import type { TestServer } from './server.js';

/** As much of JSON Schema as the document uses. */
export interface Schema {
  $ref?: string;
  type?: string;
  properties?: Record<string, Schema>;
  required?: string[];
  items?: Schema;
  allOf?: Schema[];
  anyOf?: Schema[];
  oneOf?: Schema[];
  enum?: unknown[];
  example?: unknown;
  format?: string;
  minimum?: number;
  minLength?: number;
}

/** A method of a path, as the OpenAPI document has it. */
export interface Operation {
  /** `POST /api/api-keys/{id}`: method and path. */
  readonly route: string;
  readonly method: string;
  readonly path: string;
  readonly pathParameters: readonly string[];
  readonly query: readonly { readonly name: string; readonly required: boolean; readonly schema: Schema }[];
  /** Of the JSON body; undefined when it takes none. References are resolved. */
  readonly body: Schema | undefined;
  /** Whether a request without a body is refused. */
  readonly needsBody: boolean;
}

interface OpenApiDocument {
  paths: Record<string, Record<string, OpenApiOperation>>;
  components: { schemas: Record<string, Schema> };
}

interface OpenApiOperation {
  parameters?: { name: string; in: string; required?: boolean; schema?: Schema }[];
  requestBody?: { required?: boolean; content: Record<string, { schema: Schema }> };
}

/** Everything in the OpenAPI document of the server. */
export async function documentedOperations(server: TestServer): Promise<Operation[]> {
  const document = (await (await server.fetch('/openapi.json')).json()) as OpenApiDocument;
  return Object.entries(document.paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([name, { parameters = [], requestBody }]) => {
      const method = name.toUpperCase();
      const schema = requestBody?.content['application/json']?.schema;
      return {
        route: `${method} ${path}`,
        method,
        path,
        pathParameters: parameters.filter((each) => each.in === 'path').map((each) => each.name),
        query: parameters
          .filter((each) => each.in === 'query')
          .map((each) => ({
            name: each.name,
            required: each.required ?? false,
            schema: resolved(each.schema ?? {}, document.components.schemas),
          })),
        body: schema && resolved(schema, document.components.schemas),
        needsBody: requestBody?.required ?? false,
      };
    }),
  );
}

/** Without references; what may be null as well is taken for what it is otherwise. */
function resolved(schema: Schema, known: Record<string, Schema>): Schema {
  const named = schema.$ref === undefined ? schema : known[schema.$ref.split('/').at(-1) ?? ''];
  const { type, properties, items, allOf = [], anyOf = [], oneOf = [], ...rest } = named ?? {};
  const parts = [...allOf, ...oneOf, ...anyOf.filter(({ $ref }) => $ref !== undefined)];
  const whole = Object.assign({}, ...parts.map((each) => resolved(each, known))) as Schema;
  const one = [type].flat().find((each) => each !== 'null');
  return {
    ...whole,
    ...rest,
    ...(one !== undefined && { type: one }),
    ...(items && { items: resolved(items, known) }),
    ...(properties && {
      properties: Object.fromEntries(Object.entries(properties).map(([name, each]) => [name, resolved(each, known)])),
    }),
  };
}

/** Something the schema allows, by its example where it has one; every property is there, so that each can be tried. */
export function sampleOf(schema: Schema, name = ''): unknown {
  if (schema.example !== undefined) return schema.example;
  if (schema.enum) return schema.enum[0];
  switch (schema.type) {
    case 'object':
      return Object.fromEntries(
        Object.entries(schema.properties ?? {}).map(([property, each]) => [property, sampleOf(each, property)]),
      );
    case 'array':
      return schema.items ? [sampleOf(schema.items, name)] : [];
    case 'integer':
    case 'number':
      return schema.minimum ?? 1;
    case 'boolean':
      return false;
    default:
      if (schema.format === 'date-time' || /^(at|from|to|until)$|At$/.test(name)) return '2999-01-01T00:00:00Z';
      if (/email/i.test(name)) return 'ann@example.com';
      return `sample-${name}`.padEnd(schema.minLength ?? 0, 'x');
  }
}

/** Where in the body: `['transfers', 0, 'amount']`. */
export type Place = readonly (string | number)[];

/** Places of values of the type in what `sampleOf` makes of the schema. */
export function placesOf(type: 'string' | 'object', schema: Schema, at: Place = []): Place[] {
  const inside =
    schema.type === 'array'
      ? schema.items
        ? placesOf(type, schema.items, [...at, 0])
        : []
      : Object.entries(schema.properties ?? {}).flatMap(([name, each]) => placesOf(type, each, [...at, name]));
  const isOne = type === 'string' ? schema.type === 'string' : schema.properties !== undefined;
  return isOne ? [at, ...inside] : inside;
}

/** The body with another value at the place. */
export function withAt(body: unknown, place: Place, change: (value: unknown) => unknown): unknown {
  const [first, ...rest] = place;
  if (first === undefined) return change(body);
  if (Array.isArray(body))
    return body.map((each: unknown, index) => (index === first ? withAt(each, rest, change) : each));
  const record = { ...(body as Record<string, unknown>) };
  record[first] = withAt(record[first], rest, change);
  return record;
}

/** As much of OpenAPI 3.1 as the document uses. */
export interface OpenApiDocument {
  servers: { url: string }[];
  paths: Record<string, Record<string, OpenApiOperation>>;
  components: {
    schemas: Record<string, OpenApiSchema>;
    responses: Record<string, OpenApiResponse>;
    securitySchemes: object;
  };
}

export interface OpenApiOperation {
  security: Record<string, string[]>[];
  description?: string;
  parameters: { name: string; in: string; required?: boolean; schema: OpenApiSchema }[];
  requestBody?: { required?: boolean; content: Record<string, { schema: OpenApiSchema }> };
  responses: Record<string, OpenApiResponse | { $ref: string }>;
}

export interface OpenApiResponse {
  description: string;
  headers: Record<string, object>;
  content?: Record<string, { schema: OpenApiSchema }>;
}

export interface OpenApiSchema {
  $ref?: string;
  properties?: Record<string, OpenApiSchema>;
  required?: string[];
  enum?: unknown[];
  items?: OpenApiSchema;
  allOf?: OpenApiSchema[];
  anyOf?: OpenApiSchema[];
  [keyword: string]: unknown;
}

export interface OpenApiRoute {
  /** In capitals. */
  readonly method: string;
  /** `/api/users/{id}` */
  readonly path: string;
  readonly operation: OpenApiOperation;
}

export function routesOf({ paths }: OpenApiDocument): OpenApiRoute[] {
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ method: method.toUpperCase(), path, operation })),
  );
}

/** By status, references resolved. */
export function answersOf(
  { components }: OpenApiDocument,
  { responses }: OpenApiOperation,
): Map<number, OpenApiResponse> {
  const answers = Object.entries(responses).map(([status, response]): [number, OpenApiResponse] => {
    const answer = '$ref' in response ? components.responses[nameIn(response.$ref)] : response;
    if (answer === undefined) throw new Error(`Nothing is named ${JSON.stringify(response)}`);
    return [Number(status), answer];
  });
  return new Map(answers);
}

/** Codes of a refusal. */
export function codesOf({ content }: OpenApiResponse): string[] {
  const parts = content?.['application/problem+json']?.schema.allOf ?? [];
  return parts.flatMap(({ properties }) => properties?.['code']?.enum ?? []).map(String);
}

/** Every object with fields of its own that the schema allows, with where it is. */
export function objectsIn(document: OpenApiDocument, schema: OpenApiSchema, at = 'body'): [string, OpenApiSchema][] {
  if (schema.$ref !== undefined) return objectsIn(document, document.components.schemas[nameIn(schema.$ref)] ?? {}, at);
  const { properties, items, allOf = [], anyOf = [] } = schema;
  const parts = [...allOf, ...anyOf, ...(items === undefined ? [] : [items])];
  return [
    ...(properties === undefined ? [] : [[at, schema] as [string, OpenApiSchema]]),
    ...parts.flatMap((part) => objectsIn(document, part, at)),
    ...Object.entries(properties ?? {}).flatMap(([name, each]) => objectsIn(document, each, `${at}.${name}`)),
  ];
}

function nameIn(reference: string): string {
  return reference.slice(reference.lastIndexOf('/') + 1);
}

import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import type { Answer } from './http-answer.js';
import { answersOf, type OpenApiDocument, type OpenApiRoute, routesOf } from './openapi-document.js';

/** Compares real answers with what the OpenAPI document says of their route, by a validator of its own. */
export class DocumentedAnswers {
  private readonly ajv = new Ajv2020({ strict: false, allErrors: true });
  private readonly validators = new Map<object, ValidateFunction>();
  private readonly routes: (OpenApiRoute & { pattern: RegExp })[];

  constructor(private readonly document: OpenApiDocument) {
    // The plugin is typed for CommonJS.
    addFormats.default(this.ajv);
    this.ajv.addSchema({ ...document, $id: 'document' });
    this.routes = routesOf(document)
      .map((route) => ({ ...route, pattern: patternOf(route.path) }))
      // `/a/{b}` after `/a/c`, as in the router.
      .sort((one, other) => one.path.split('{').length - other.path.split('{').length);
  }

  /** @returns what is wrong with it, for people; empty when all of it is as documented, or when its route is unknown */
  mistakesIn(method: string, url: string, { status, headers, text, body }: Answer): string[] {
    const [asked = ''] = url.split('?', 1);
    const route = this.routes.find((each) => each.method === method && each.pattern.test(asked));
    if (route === undefined) return [];
    const where = `${method} ${route.path}`;
    const answer = answersOf(this.document, route.operation).get(status);
    if (answer === undefined) return [`${where} does not document ${status}: ${text}`];
    if (text === '') return answer.content === undefined ? [] : [`${where} documents a body for ${status}`];
    const type = headers.get('content-type')?.split(';', 1)[0] ?? '';
    const content = answer.content?.[type];
    if (content?.schema === undefined) return [`${where} does not document ${type} for ${status}: ${text}`];
    const validate = this.validatorOf(content.schema);
    if (validate(body)) return [];
    return [`${where} answers ${status} ${text}, of which ${this.ajv.errorsText(validate.errors)}`];
  }

  private validatorOf(schema: object): ValidateFunction {
    const known = this.validators.get(schema);
    if (known !== undefined) return known;
    const made = this.ajv.compile(withDocument(schema));
    this.validators.set(schema, made);
    return made;
  }
}

function patternOf(path: string): RegExp {
  return new RegExp(`^${path.replace(/\{\w+\}/g, '[^/]+')}$`);
}

/** References within the document, from outside of it. */
function withDocument(schema: object): object {
  return JSON.parse(JSON.stringify(schema).replaceAll('"$ref":"#/', '"$ref":"document#/')) as object;
}

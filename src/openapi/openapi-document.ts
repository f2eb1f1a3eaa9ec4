import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';
import type { Config } from '../config/index.js';
import { VERSION } from '../version.js';
import { describeAccess, SECURITY_SCHEMES } from './access.js';
import { describeAnswers, type Responses } from './answers.js';
import { HEADERS } from './headers.js';
import { describeIdempotencyKey } from './idempotency-key.js';
import { describeInputs, type Schemas } from './inputs.js';
import { PROBLEM } from './problem.js';
import { routesOf } from './routes.js';
import { describeWholeNumbers } from './whole-numbers.js';

const DESCRIPTION = [
  'Webhooks come in, money moves exactly once, webhooks go out.',
  'Errors are `application/problem+json` (RFC 9457) with a stable `code`. Each route names those of its own; before a ' +
    'route is found any request may be answered 400 `BAD_REQUEST`, 404 `NOT_FOUND`, 405 `METHOD_NOT_ALLOWED`, ' +
    '408 `REQUEST_TIMEOUT`, 414 `URI_TOO_LONG` or 431 `HEADERS_TOO_LARGE`.',
  'Services authenticate with an API key, `Authorization: Bearer hf_…` or `X-API-Key: hf_…`; users with the access token of ' +
    'their login, `Authorization: Bearer eyJ…`.',
  'No text may hold U+0000 or half of a surrogate pair, which PostgreSQL cannot store.',
].join('\n\n');

/**
 * The OpenAPI document, made from what controllers and DTOs declare: `@nestjs/swagger` describes routes and what succeeds;
 * the rest, which every route of its kind has, is added here.
 */
export function openApiDocument(app: INestApplication, { PUBLIC_URL }: Pick<Config, 'PUBLIC_URL'>): OpenAPIObject {
  const frame = new DocumentBuilder()
    .setOpenAPIVersion('3.1.0')
    .setTitle('Holdfast')
    .setDescription(DESCRIPTION)
    .setVersion(VERSION)
    .addServer(PUBLIC_URL?.replace(/\/$/, '') ?? '/')
    .build();
  const document = SwaggerModule.createDocument(app, frame);
  const schemas: Schemas = { ...document.components?.schemas, Problem: PROBLEM };
  const responses: Responses = {};
  const routes = routesOf(app, document);
  describeInputs(routes, schemas);
  describeWholeNumbers(schemas);
  for (const route of routes) {
    describeAccess(route);
    describeIdempotencyKey(route);
    describeAnswers(route, responses);
  }
  document.components = { schemas, responses, headers: HEADERS, securitySchemes: SECURITY_SCHEMES };
  return document;
}

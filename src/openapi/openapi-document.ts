import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';
import { VERSION } from '../version.js';

/** The OpenAPI document, made from the controllers and their DTOs. */
export function openApiDocument(app: NestFastifyApplication) {
  const description = [
    'Webhooks come in, money moves exactly once, webhooks go out.',
    'Errors are `application/problem+json` (RFC 9457) with a stable `code`.',
    'Services authenticate with an API key, `Authorization: Bearer hf_…` or `X-API-Key: hf_…`; users with the access token of ' +
      'their login, `Authorization: Bearer eyJ…`.',
  ].join('\n\n');
  const document = new DocumentBuilder()
    .setTitle('Holdfast')
    .setDescription(description)
    .setVersion(VERSION)
    .addBearerAuth({ type: 'http', scheme: 'bearer', description: 'An API key, `hf_…`, or the access token of a user' })
    .build();
  return SwaggerModule.createDocument(app, document);
}

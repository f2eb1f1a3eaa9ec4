import type { FastifyInstance, FastifyServerOptions } from 'fastify';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { SwaggerModule } from '@nestjs/swagger';
import type { Config } from './config/index.js';
import { UnavailableError } from './kernel/app-error.js';
import { stringifyExactJson } from './kernel/exact-json.js';
import { openApiDocument } from './openapi/index.js';
import {
  answerClientError,
  boundConnections,
  installBodyParser,
  installCors,
  keepDocuments,
  limitPublicReads,
  parseQuery,
  refuseOddRequests,
  refuseUnrouted,
  ProblemFilter,
  requestId,
  securityHeaders,
  trustProxies,
  validationPipe,
} from './platform/http/index.js';
import { WebhookIntake } from './modules/webhooks/index.js';
import { PublicReadLimit } from './platform/rate-limit/index.js';
import { type JsonLogger, logRequests } from './platform/logging/index.js';
import { Metrics } from './platform/metrics/index.js';

/** Event ids may have 255 characters, percent-encoded three times as many. */
const MAX_PATH_PARAMETER = 1024;
const MAX_HEADER_BYTES = 16 * 1024;

/** What `SwaggerModule` adds. The page's own scripts are files, and come from the disk. */
const DOCUMENTS = /^\/(?:docs(?:\/|$)|openapi\.)/;

const problems = new ProblemFilter();

/** The HTTP server's own settings: above all how long a slow sender is waited for. */
export function createAdapter(config: Config): FastifyAdapter {
  const options: FastifyServerOptions & { http: object } = {
    genReqId: (request) => requestId(request),
    requestTimeout: config.REQUEST_TIMEOUT_MS,
    keepAliveTimeout: config.KEEP_ALIVE_TIMEOUT_MS,
    clientErrorHandler: answerClientError,
    frameworkErrors: (error, request, reply) => problems.answer(error, request, reply),
    forceCloseConnections: 'idle',
    // Its refusal is not like ours.
    return503OnClosing: false,
    routerOptions: { maxParamLength: MAX_PATH_PARAMETER, querystringParser: parseQuery },
    http: {
      maxHeaderSize: MAX_HEADER_BYTES,
      // Its refusal is empty; see refuseOddRequests.
      requireHostHeader: false,
      headersTimeout: Math.min(config.REQUEST_TIMEOUT_MS, 15_000),
      // How often Node looks for requests past their time; a sender may overstay by this much.
      connectionsCheckingInterval: Math.min(config.REQUEST_TIMEOUT_MS, 5000),
    },
  };
  return new FastifyAdapter(options);
}

/** Everything between the socket and the controllers, the same in production and in tests. */
export function configureApp(app: NestFastifyApplication, config: Config, logger: JsonLogger): void {
  const fastify = app.getHttpAdapter().getInstance();
  boundConnections(fastify, config.REQUEST_TIMEOUT_MS);
  trustProxies(fastify, config.TRUSTED_PROXIES, { requireHttps: isHttps(config) });
  const intake = app.get(WebhookIntake);
  installBodyParser(fastify, { api: config.BODY_LIMIT_BYTES, webhook: (request) => intake.bodyLimit(request) });
  fastify.addHook('onRoute', (route) => {
    // For what fails before Nest is asked; its own errors go through the controller's filter.
    if (!route.config?.rawBody) return;
    route.errorHandler = (error, request, reply) => {
      intake.refuse(error, request, reply).catch((failure: unknown) => problems.answer(failure, request, reply));
    };
  });
  fastify.setReplySerializer((payload) => stringifyExactJson(payload));
  let stopping = false;
  fastify.addHook('preClose', (done) => {
    stopping = true;
    done();
  });
  fastify.addHook('onRequest', (request, reply, done) => {
    reply.header('x-request-id', request.id);
    done(stopping ? new UnavailableError('The server is shutting down.') : undefined);
  });
  refuseOddRequests(fastify);
  fastify.addHook('onSend', (_request, reply, _payload, done) => {
    // The last answer on its connection: kept alive it would hold up the shutdown until the cut-off.
    if (!fastify.server.listening) reply.header('connection', 'close');
    done();
  });
  logRequests(fastify, logger.plain, app.get(Metrics));
  addSecurityHeaders(fastify, config);
  installCors(fastify, config.CORS_ORIGINS);
  limitPublicReads(fastify, (url) => DOCUMENTS.test(url), app.get(PublicReadLimit));
  keepDocuments(fastify, (url) => DOCUMENTS.test(url) && !url.includes('*'));
  refuseUnrouted(fastify);
  app.useGlobalPipes(validationPipe());
  app.useGlobalFilters(problems);
  SwaggerModule.setup('docs', app, () => openApiDocument(app, config), {
    jsonDocumentUrl: 'openapi.json',
    yamlDocumentUrl: 'openapi.yaml',
  });
}

/**
 * No cache may keep an answer, and one that tells answers apart has to look at who asks: all are of somebody, or of this
 * moment. What may be kept says so itself.
 */
const NOT_CACHED = { 'cache-control': 'no-store', vary: 'Authorization, X-API-Key' } as const;

/** On everything a browser might open. Not on webhooks: their senders are programs that read a status. */
function addSecurityHeaders(fastify: FastifyInstance, config: Config): void {
  const headers = { ...securityHeaders({ behindTls: isHttps(config) }), ...NOT_CACHED };
  fastify.addHook('onRequest', (request, reply, done) => {
    if (!request.routeOptions.config.rawBody) reply.headers(headers);
    done();
  });
}

function isHttps({ PUBLIC_URL }: Config): boolean {
  return PUBLIC_URL !== undefined && new URL(PUBLIC_URL).protocol === 'https:';
}

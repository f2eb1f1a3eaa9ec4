import { Module } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyAdapter } from '@nestjs/platform-fastify';
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { loadConfig } from '../../src/config/index.js';
import { JsonLogger } from '../../src/platform/logging/index.js';
import type * as Start from '../../src/start-server.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { DocumentedAnswers } from '../support/documented-answers.js';
import { type Answer, answerOf, expectProblem } from '../support/http-answer.js';
import { RATE_LIMITS_OFF } from '../support/rate-limits-off.js';
import { answersOf, codesOf, objectsIn, type OpenApiDocument, routesOf } from '../support/openapi-document.js';
import { signers } from '../support/signing.js';
import { makeTempFolder, removeTempFolder } from '../support/temp-folder.js';

// Without the plugin of the build, DTOs do not tell what they hold.
const { startServer } = (await import(new URL('../../dist/src/start-server.js', import.meta.url).href)) as typeof Start;

const ADMIN_KEY = `hf_test_${'o'.repeat(40)}`;
const STRIPE_SECRET = 'whsec_dGhlLW9wZW5hcGktdGVzdA';
const UNKNOWN = '01890000-0000-7000-8000-000000000000';

/** Not part of the API: pages for people, the document itself, and what Prometheus reads. */
const UNDOCUMENTED =
  /^\/(docs|openapi\.(json|yaml)|metrics|verify-email|reset-password|account-pages\.js|sandbox)(\/|-|$)/;

/** As Fastify has them: `POST /api/api-keys/:id`. */
const running: string[] = [];

@Module({})
class RouteRecorder {
  constructor({ httpAdapter }: HttpAdapterHost<FastifyAdapter>) {
    httpAdapter.getInstance().addHook('onRoute', ({ method, url: path }) => {
      running.push(...[method].flat().map((each) => `${each} ${path}`));
    });
  }
}

let database: TestDatabase;
let dataDir: string;
let server: Start.RunningServer;
let document: OpenApiDocument;
let documented: DocumentedAnswers;

beforeAll(async () => {
  database = await createTestDatabase();
  dataDir = makeTempFolder('openapi');
  const config = loadConfig({
    NODE_ENV: 'test',
    PORT: '0',
    DATABASE_URL: database.url,
    DATA_DIR: dataDir,
    ENCRYPTION_KEY: 'e'.repeat(64),
    JWT_SECRET: 'j'.repeat(64),
    ...RATE_LIMITS_OFF,
    PAYMENTS_RECONCILE_AT: 'off',
    BOOTSTRAP_API_KEY: ADMIN_KEY,
    STRIPE_WEBHOOK_SECRET: STRIPE_SECRET,
    PUBLIC_URL: 'https://pay.example.com/',
    TRUSTED_PROXIES: '127.0.0.1',
  });
  server = await startServer(config, new JsonLogger('silent'), [RouteRecorder]);
  document = (await (await fetch(`${server.url}/openapi.json`)).json()) as OpenApiDocument;
  documented = new DocumentedAnswers(document);
});

afterAll(async () => {
  await server?.stop();
  await database?.drop();
  removeTempFolder(dataDir);
});

async function send(method: string, path: string, init: RequestInit = {}): Promise<Answer> {
  return answerOf(await fetch(server.url + path, { method, ...init }));
}

const as = (key: string) => ({ authorization: `Bearer ${key}` });
const JSON_TYPE = { 'content-type': 'application/json' };

async function newKey(fields: object): Promise<string> {
  const { status, body } = await send('POST', '/api/api-keys', {
    headers: { ...as(ADMIN_KEY), ...JSON_TYPE },
    body: JSON.stringify({ name: 'openapi', scopes: ['wallet:read', 'wallet:write'], ...fields }),
  });
  expect(status).toBe(201);
  return String(body['key']);
}

const BODY_OPTIONAL = [
  '/api/fraud-rules/{id}/backtest',
  '/api/payments/reviews/{id}/approve',
  '/api/payments/reviews/{id}/decline',
  '/api/payments/{id}/cancel',
  '/api/payments/{id}/capture',
  '/api/payments/{id}/refunds',
  '/api/payments/{id}/verify',
  '/api/wallet/holds/{id}/capture',
  '/api/wallet/holds/{id}/void',
  '/api/wallet/transactions/{id}/reverse',
];

describe('The OpenAPI document', () => {
  it('has every route of the running application, and no other', () => {
    const inDocument = routesOf(document).map(({ method, path }) => `${method} ${path.replace(/\{(\w+)\}/g, ':$1')}`);
    const inUse = running.filter((route) => {
      const [method = '', path = ''] = route.split(' ');
      return method !== 'HEAD' && method !== 'OPTIONS' && !UNDOCUMENTED.test(path);
    });
    expect(inDocument.toSorted()).toEqual(inUse.toSorted());
    expect(inUse.length).toBeGreaterThan(50);
  });

  it('is the same from every process, but for where the server is', async () => {
    expect(document.servers).toEqual([{ url: 'https://pay.example.com' }]);
    const { stdout } = await promisify(execFile)(process.execPath, ['dist/src/cli/main.js', 'openapi', '--out', '-'], {
      cwd: fileURLToPath(new URL('../../', import.meta.url)),
      maxBuffer: 16 * 1024 * 1024,
    });
    expect(stdout.trimEnd()).toBe(JSON.stringify({ ...document, servers: [{ url: '/' }] }, null, 2));
  });

  it('says who may call a route, and with which scopes', async () => {
    expect(document.components.securitySchemes).toMatchObject({
      bearer: { type: 'http', scheme: 'bearer' },
      apiKey: { type: 'apiKey', in: 'header', name: 'X-API-Key' },
    });
    const scopeless = await newKey({ scopes: ['audit:read'] });
    for (const { method, path, operation } of routesOf(document)) {
      const route = `${method} ${path}`;
      const asked = path.replace(/\{\w+\}/g, UNKNOWN);
      const { body } = await send(method, asked);
      const isGuarded = body['code'] === 'UNAUTHENTICATED';
      expect({ route, security: operation.security.map(Object.keys).flat() }).toEqual({
        route,
        security: isGuarded ? ['bearer', 'apiKey'] : [],
      });
      if (!isGuarded) continue;
      const { status, body: refusal } = await send(method, asked, { headers: as(scopeless) });
      const { requiredScopes = [] } = (refusal['details'] ?? {}) as { requiredScopes?: string[] };
      const scopes = operation.security.map(Object.values).flat(2);
      // The key has the scopes of the audit log; where none are asked for it fails later, if at all.
      if (status !== 403 || requiredScopes.length === 0)
        expect({ route, scopes: scopes.filter((scope) => scope !== 'audit:read') }).toEqual({ route, scopes: [] });
      else expect({ route, scopes }).toEqual({ route, scopes: [...requiredScopes, ...requiredScopes] });
      for (const scope of requiredScopes) expect(operation.description).toContain(`\`${scope}\``);
    }
  });

  it('has what every route of its kind refuses', () => {
    for (const { method, path, operation } of routesOf(document)) {
      const parameters = new Set(operation.parameters.map((each) => each.in));
      const changes = method === 'POST' || method === 'PUT' || method === 'PATCH';
      const isGuarded = operation.security.length > 0;
      const isIdempotent = parameters.has('header');
      const wanted = [
        ...(changes ? [400, 413, 415] : []),
        ...(parameters.has('query') || parameters.has('path') ? [400] : []),
        ...(parameters.has('path') ? [404] : []),
        ...(isGuarded ? [401, 429] : []),
        ...(isGuarded && operation.security.some((each) => Object.values(each).flat().length > 0) ? [403] : []),
        ...(isIdempotent ? [400, 409, 422] : []),
        ...(isGuarded || changes ? [503] : []),
        500,
      ];
      const answers = answersOf(document, operation);
      const route = `${method} ${path}`;
      expect({ route, missing: wanted.filter((status) => !answers.has(status)) }).toEqual({ route, missing: [] });
    }
  });

  it('says which routes are refused to who came by plain HTTP', async () => {
    for (const { method, path, operation } of routesOf(document)) {
      const route = `${method} ${path}`;
      const answer = await send(method, path.replace(/\{\w+\}/g, UNKNOWN), {
        headers: { 'x-forwarded-proto': 'http' },
      });
      const forbidden = answersOf(document, operation).get(403);
      expect({ route, refused: answer.body['code'] === 'HTTPS_REQUIRED' }).toEqual({
        route,
        refused: forbidden !== undefined && codesOf(forbidden).includes('HTTPS_REQUIRED'),
      });
    }
  });

  it('has every refusal as a problem with its codes, which docs/operations.md explains', () => {
    const table = readFileSync(new URL('../../docs/operations.md', import.meta.url), 'utf8');
    const explained = new Set([...table.matchAll(/^\| `([A-Z_]+)` \|/gm)].map(([, code = '']) => code));
    for (const { method, path, operation } of routesOf(document)) {
      for (const [status, answer] of answersOf(document, operation)) {
        if (status < 400) continue;
        const where = `${method} ${path} ${status}`;
        const codes = codesOf(answer);
        // Of a server that is not ready `/health/ready` tells its state.
        if (where !== 'GET /health/ready 503')
          expect({ where, named: codes.length > 0 }).toEqual({ where, named: true });
        expect({ where, unknown: codes.filter((code) => !explained.has(code)) }).toEqual({ where, unknown: [] });
        expect({ where, text: codes.every((code) => answer.description.includes(code)) }).toEqual({
          where,
          text: true,
        });
        expect(answer.headers).toHaveProperty('X-Request-Id');
        if (status === 429 || status === 503) expect(answer.headers).toHaveProperty('Retry-After');
        if (status === 429) expect(answer.headers).toHaveProperty('X-RateLimit-Limit');
      }
    }
  });

  it('closes every body, and says whether one is needed', () => {
    let closed = 0;
    for (const { method, path, operation } of routesOf(document)) {
      for (const { schema } of Object.values(operation.requestBody?.content ?? {})) {
        for (const [at, { additionalProperties }] of objectsIn(document, schema)) {
          const where = `${method} ${path} ${at}`;
          expect({ where, additionalProperties }).toEqual({ where, additionalProperties: false });
          closed++;
        }
      }
      if (operation.requestBody !== undefined) {
        expect([path, operation.requestBody.required]).toEqual([path, !BODY_OPTIONAL.includes(path)]);
      }
    }
    expect(closed).toBeGreaterThan(20);
  });

  it('says what is checked of a field, a parameter and a header', () => {
    const { schemas } = document.components;
    expect(schemas['CreateApiKeyDto']).toMatchObject({
      required: ['name', 'scopes'],
      properties: {
        name: { type: 'string', minLength: 1, maxLength: 100, pattern: expect.any(String) },
        scopes: { type: 'array', minItems: 1, uniqueItems: true, items: { enum: expect.arrayContaining(['admin']) } },
        expiresAt: { type: ['string', 'null'], format: 'date-time' },
        limits: { type: ['object', 'null'], maxProperties: 50, additionalProperties: { type: 'integer', minimum: 0 } },
      },
    });
    expect(schemas['ChangeSourceDto']).toMatchObject({
      minProperties: 1,
      properties: {
        toleranceSeconds: { type: 'integer', minimum: 1, maximum: 86_400 },
        rateLimitPerMinute: { type: ['integer', 'null'], minimum: 0 },
        allowedIps: {
          type: 'array',
          maxItems: 200,
          items: { anyOf: [{ format: 'ipv4' }, { format: 'ipv6' }, {}] },
        },
      },
    });
    expect(schemas['NewTransactionDto']).toMatchObject({
      properties: {
        userId: { type: 'string', pattern: expect.any(String) },
        amount: { type: 'integer', minimum: 1, maximum: Number.MAX_SAFE_INTEGER },
        currency: { allOf: [{ $ref: '#/components/schemas/Currency' }] },
        description: { type: ['string', 'null'], maxLength: 500, pattern: '^[^\\u0000]*$' },
      },
    });
    const parametersOf = (method: string, path: string) => document.paths[path]?.[method]?.parameters;
    expect(parametersOf('get', '/api/audit')).toEqual(
      expect.arrayContaining([
        expect.objectContaining({
          name: 'limit',
          required: false,
          schema: expect.objectContaining({ type: 'integer', minimum: 1, maximum: 200, default: 50 }),
        }),
      ]),
    );
    expect(parametersOf('post', '/api/wallet/holds/{id}/void')).toMatchObject([
      { name: 'id', in: 'path', required: true, schema: { type: 'string', format: 'uuid' } },
      { name: 'Idempotency-Key', in: 'header', required: true, schema: { pattern: expect.any(String) } },
    ]);
    expect(parametersOf('post', '/api/replay-jobs')).toMatchObject([{ name: 'Idempotency-Key', required: false }]);
  });
});

describe('A real refusal', () => {
  const transfer = { fromUserId: 'ann', toUserId: 'ben', amount: 1, currency: 'USD' };
  const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
    send('POST', path, {
      headers: { ...as(ADMIN_KEY), ...JSON_TYPE, 'idempotency-key': randomUUID(), ...headers },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
  const get = (path: string, key = ADMIN_KEY) => send('GET', path, { headers: as(key) });

  async function webhook(body: string, secret = STRIPE_SECRET, age = 0): Promise<Answer> {
    const timestamp = Math.floor(Date.now() / 1000) - age;
    const signature = signers.stripe(Buffer.from(body), { secret, timestamp, id: 'evt_1', type: 'a.b' });
    return send('POST', '/webhooks/stripe', { headers: { ...JSON_TYPE, ...signature }, body });
  }

  it.each<[status: number, code: string, route: string, refuse: () => Promise<Answer>]>([
    [400, 'VALIDATION_FAILED', 'POST /api/webhook-sources', () => post('/api/webhook-sources', { name: 'X' })],
    [400, 'VALIDATION_FAILED', 'GET /api/audit', () => get('/api/audit?limit=0')],
    [400, 'VALIDATION_FAILED', 'POST /api/wallet/transfers', () => post('/api/wallet/transfers', '{')],
    [
      400,
      'SELF_TRANSFER',
      'POST /api/wallet/transfers',
      () => post('/api/wallet/transfers', { ...transfer, toUserId: 'ann' }),
    ],
    [
      400,
      'IDEMPOTENCY_KEY_REQUIRED',
      'POST /api/wallet/transfers',
      () => send('POST', '/api/wallet/transfers', { headers: as(ADMIN_KEY) }),
    ],
    [
      400,
      'IDEMPOTENCY_KEY_INVALID',
      'POST /api/replay-jobs',
      () => post('/api/replay-jobs', {}, { 'idempotency-key': 'short' }),
    ],
    [400, 'TOKEN_INVALID', 'POST /api/auth/verify-email', () => post('/api/auth/verify-email', { token: 'hfm_none' })],
    [401, 'UNAUTHENTICATED', 'GET /api/users', () => send('GET', '/api/users')],
    [401, 'UNAUTHENTICATED', 'POST /api/auth/refresh', () => post('/api/auth/refresh', { refreshToken: 'hfr_none' })],
    [
      402,
      'INSUFFICIENT_FUNDS',
      'POST /api/wallet/transfers',
      async () => {
        for (const userId of ['ann', 'ben']) await post('/api/wallet/accounts', { userId, currency: 'USD' });
        return post('/api/wallet/transfers', transfer);
      },
    ],
    [403, 'FORBIDDEN', 'GET /api/users', async () => get('/api/users', await newKey({}))],
    [403, 'FORBIDDEN', 'GET /api/auth/me', () => get('/api/auth/me')],
    [404, 'NOT_FOUND', `GET /api/users/${UNKNOWN}`, () => get(`/api/users/${UNKNOWN}`)],
    [404, 'NOT_FOUND', 'GET /api/wallet/balance', () => get('/api/wallet/balance?userId=nobody&currency=USD')],
    [
      409,
      'WEBHOOK_SOURCE_EXISTS',
      'POST /api/webhook-sources',
      () => post('/api/webhook-sources', { name: 'stripe', provider: 'stripe', secret: STRIPE_SECRET }),
    ],
    [
      409,
      'BATCH_REJECTED',
      'POST /api/wallet/transfers/batch',
      () => post('/api/wallet/transfers/batch', { mode: 'atomic', transfers: [{ ...transfer, toUserId: 'nobody' }] }),
    ],
    [413, 'PAYLOAD_TOO_LARGE', 'POST /api/replay-jobs', () => post('/api/replay-jobs', `"${'x'.repeat(300 * 1024)}"`)],
    [
      415,
      'UNSUPPORTED_MEDIA_TYPE',
      'POST /api/replay-jobs',
      () => post('/api/replay-jobs', 'x', { 'content-type': 'text/plain' }),
    ],
    [
      422,
      'IDEMPOTENCY_KEY_REUSED',
      'POST /api/wallet/accounts',
      async () => {
        const key = { 'idempotency-key': randomUUID() };
        await post('/api/wallet/accounts', { userId: 'cleo', currency: 'USD' }, key);
        return post('/api/wallet/accounts', { userId: 'cleo', currency: 'EUR' }, key);
      },
    ],
    [
      429,
      'RATE_LIMIT_EXCEEDED',
      'GET /api/wallet/balance',
      async () => {
        const key = await newKey({ limits: { perMinute: 1 } });
        await get('/api/wallet/balance?userId=ann&currency=USD', key);
        return get('/api/wallet/balance?userId=ann&currency=USD', key);
      },
    ],
    [400, 'WEBHOOK_PAYLOAD_INVALID', 'POST /webhooks/stripe', () => webhook('[]')],
    [400, 'WEBHOOK_EVENT_ID_INVALID', 'POST /webhooks/stripe', () => webhook('{}')],
    [400, 'WEBHOOK_TIMESTAMP_OUT_OF_TOLERANCE', 'POST /webhooks/stripe', () => webhook('{}', STRIPE_SECRET, 3600)],
    [401, 'WEBHOOK_SIGNATURE_MISSING', 'POST /webhooks/stripe', () => send('POST', '/webhooks/stripe', { body: '{}' })],
    [401, 'WEBHOOK_SIGNATURE_INVALID', 'POST /webhooks/stripe', () => webhook('{}', 'whsec_another')],
    [404, 'NOT_FOUND', 'POST /webhooks/unknown', () => send('POST', '/webhooks/unknown', { body: '{}' })],
    [404, 'NOT_FOUND', 'POST /api/paystack/webhook', () => send('POST', '/api/paystack/webhook', { body: '{}' })],
  ])('%i %s of %s is documented', async (status, code, route, refuse) => {
    const answer = await refuse();
    const [method = '', path = ''] = route.split(' ');
    const { results: _, ...problem } = answer.body;
    expectProblem({ ...answer, body: problem }, status, code);
    expect(documented.mistakesIn(method, path, answer)).toEqual([]);
    // Another code would be noticed.
    const other = { ...answer, body: { ...answer.body, code: 'NOT_DOCUMENTED' } };
    expect(documented.mistakesIn(method, path, other)).not.toEqual([]);
  });
});

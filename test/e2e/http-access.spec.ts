import { beforeAll, describe, expect, it } from '@jest/globals';
import { type Answer, answerOf, expectProblem } from '../support/http-answer.js';
import { rawRequest, speak } from '../support/raw-http.js';
import { serverUnderTest } from '../support/server-under-test.js';

const holdfast = serverUnderTest();

/** Everything anyone may call; each is safe for a reason of its own. */
const PUBLIC = [
  'POST /api/auth/forgot',
  'POST /api/auth/login',
  'POST /api/auth/logout',
  'POST /api/auth/refresh',
  'POST /api/auth/register',
  'POST /api/auth/resend-verification',
  'POST /api/auth/reset',
  'POST /api/auth/verify-email',
  'GET /health/live',
  'GET /health/ready',
  'POST /api/paystack/webhook',
  'POST /api/stripe/webhook',
  'POST /webhooks/{source}',
  'POST /webhooks/{source}/{topic}',
];

/** What each other route asks for; '' is any valid key. A new route has to be added here. */
const SCOPES: Record<string, string> = {
  'GET /api/analytics/payments': 'payments:read',
  'GET /api/api-keys': 'admin',
  'POST /api/api-keys': '',
  'GET /api/api-keys/{id}': 'admin',
  'DELETE /api/api-keys/{id}': 'admin',
  'GET /api/audit': 'audit:read',
  'GET /api/audit/checkpoints': 'audit:read',
  'GET /api/audit/verify': 'audit:read',
  'GET /api/auth/me': '',
  'GET /api/disputes': 'payments:read',
  'GET /api/disputes/{id}': 'payments:read',
  'GET /api/email-limits/{kind}/{email}': 'admin',
  'PUT /api/email-limits/{kind}/{email}/override': 'admin',
  'DELETE /api/email-limits/{kind}/{email}/override': 'admin',
  'GET /api/forms': 'forms:read',
  'POST /api/forms': 'forms:write',
  'GET /api/forms/{id}': 'forms:read',
  'PATCH /api/forms/{id}': 'forms:write',
  'DELETE /api/forms/{id}': 'forms:write',
  'GET /api/fraud-rules': 'fraud:read',
  'POST /api/fraud-rules': 'fraud:write',
  'GET /api/fraud-rules/{id}': 'fraud:read',
  'PATCH /api/fraud-rules/{id}': 'fraud:write',
  'DELETE /api/fraud-rules/{id}': 'fraud:write',
  'POST /api/fraud-rules/{id}/backtest': 'fraud:read',
  'GET /api/idempotency/stats': 'admin',
  'GET /api/ledger/integrity': 'admin',
  'GET /api/payments': 'payments:read',
  'POST /api/payments': 'payments:write',
  'GET /api/payments/reviews': 'payments:read',
  'POST /api/payments/reviews/{id}/approve': 'payments:write',
  'POST /api/payments/reviews/{id}/decline': 'payments:write',
  'GET /api/payments/{id}': 'payments:read',
  'POST /api/payments/{id}/cancel': 'payments:write',
  'POST /api/payments/{id}/capture': 'payments:write',
  'GET /api/payments/{id}/refunds': 'payments:read',
  'POST /api/payments/{id}/refunds': 'payments:write',
  'POST /api/payments/{id}/verify': 'payments:write',
  'GET /api/rate-limits/{subject}': 'admin',
  'PUT /api/rate-limits/{subject}/override': 'admin',
  'DELETE /api/rate-limits/{subject}/override': 'admin',
  'GET /api/reconciliations': 'payments:read',
  'POST /api/reconciliations': 'payments:write',
  'GET /api/reconciliations/{id}': 'payments:read',
  'GET /api/replay-jobs': 'webhooks:read',
  'POST /api/replay-jobs': 'webhooks:write',
  'GET /api/replay-jobs/{id}': 'webhooks:read',
  'DELETE /api/replay-jobs/{id}': 'webhooks:write',
  'GET /api/stripe/webhook/status/{eventId}': 'webhooks:read',
  'GET /api/users': 'admin',
  'GET /api/users/{id}': 'admin',
  'DELETE /api/users/{id}/sessions': 'admin',
  'POST /api/users/{userId}/freeze': 'admin',
  'POST /api/users/{userId}/unfreeze': 'admin',
  'PUT /api/users/{id}/role': 'admin',
  'PUT /api/users/{id}/subscription': 'admin',
  'POST /api/wallet/accounts': 'wallet:write',
  'POST /api/wallet/accounts/{id}/freeze': 'admin',
  'POST /api/wallet/accounts/{id}/unfreeze': 'admin',
  'GET /api/wallet/balance': 'wallet:read',
  'POST /api/wallet/holds': 'wallet:write',
  'GET /api/wallet/holds/{id}': 'wallet:read',
  'POST /api/wallet/holds/{id}/capture': 'wallet:write',
  'POST /api/wallet/holds/{id}/void': 'wallet:write',
  'POST /api/wallet/initialize': 'payments:write',
  'GET /api/wallet/transactions': 'wallet:read',
  'POST /api/wallet/transactions': 'wallet:write',
  'GET /api/wallet/transactions/{id}': 'wallet:read',
  'POST /api/wallet/transactions/{id}/reverse': 'wallet:write',
  'POST /api/wallet/transfers': 'wallet:write',
  'POST /api/wallet/transfers/batch': 'wallet:write',
  'POST /api/wallet/verify': 'payments:read',
  'GET /api/wallet/verify/{reference}': 'payments:read',
  'GET /api/webhook-events': 'webhooks:read',
  'GET /api/webhook-events/by-event-id/{source}/{eventId}': 'webhooks:read',
  'GET /api/webhook-events/{id}': 'webhooks:read',
  'POST /api/webhook-events/{id}/replay': 'webhooks:write',
  'GET /api/webhook-sources': 'webhooks:read',
  'POST /api/webhook-sources': 'webhooks:write',
  'GET /api/webhook-sources/{name}': 'webhooks:read',
  'PATCH /api/webhook-sources/{name}': 'webhooks:write',
  'DELETE /api/webhook-sources/{name}': 'webhooks:write',
  'POST /api/webhook-sources/{name}/secrets': 'webhooks:write',
};
const ALL_SCOPES = [
  'wallet:read',
  'wallet:write',
  'payments:read',
  'payments:write',
  'fraud:read',
  'fraud:write',
  'forms:read',
  'forms:write',
  'webhooks:read',
  'webhooks:write',
  'audit:read',
];

/** `GET /api/…` of everything in the OpenAPI document. */
async function documentedRoutes(): Promise<string[]> {
  const document = (await holdfast.call('GET', '/openapi.json')).body;
  return Object.entries(document['paths'] as Record<string, object>).flatMap(([path, operations]) =>
    Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`),
  );
}

/** Calls the route with something for each parameter and, where there is one, an empty body. */
async function request(route: string, headers: Record<string, string>): Promise<Answer> {
  const [method = '', path = ''] = route.split(' ');
  const hasBody = method === 'POST' || method === 'PATCH';
  return answerOf(
    await fetch(holdfast.server.url + path.replace(/\{\w+\}/g, '01890000-0000-7000-8000-000000000000'), {
      method,
      headers: { ...headers, ...(hasBody && { 'content-type': 'application/json' }) },
      ...(hasBody && { body: '{}' }),
    }),
  );
}

describe('Every route', () => {
  it('of the OpenAPI document is known to this test', async () => {
    expect((await documentedRoutes()).toSorted()).toEqual([...PUBLIC, ...Object.keys(SCOPES)].toSorted());
  });

  it('but those few that are public answers 401 without a credential', async () => {
    for (const route of await documentedRoutes()) {
      const answer = await request(route, {});
      if (PUBLIC.includes(route)) {
        expect({ route, code: answer.body['code'] }).not.toMatchObject({ code: 'UNAUTHENTICATED' });
      } else {
        expect({ route, status: answer.status }).toEqual({ route, status: 401 });
        expectProblem(answer, 401, 'UNAUTHENTICATED');
        expect(answer.headers.get('www-authenticate')).toBe('Bearer realm="holdfast"');
      }
    }
  });

  it('is as closed to HEAD as to GET', async () => {
    for (const route of Object.keys(SCOPES).filter((each) => each.startsWith('GET '))) {
      const { status } = await request(route.replace('GET', 'HEAD'), {});
      expect({ route, status }).toEqual({ route, status: 401 });
    }
  });

  it.each([
    '/metrics',
    '/openapi.json',
    '/openapi.yaml',
    '/docs',
    '/verify-email',
    '/reset-password',
    '/account-pages.js',
  ])('beside it can be read by anyone: %s', async (path) => {
    expect((await fetch(holdfast.server.url + path)).status).toBe(200);
  });

  it('of the document has a summary or description, and an answer', async () => {
    const { body } = await holdfast.call('GET', '/openapi.json');
    expect(body['openapi']).toMatch(/^3\./);
    for (const [path, operations] of Object.entries(body['paths'] as Record<string, Record<string, object>>)) {
      for (const operation of Object.values(operations)) {
        expect({ path, ...operation }).toMatchObject({
          path,
          summary: expect.stringMatching(/\S/),
          responses: expect.any(Object),
        });
      }
    }
  });
});

describe('A key', () => {
  const keys = new Map<string, string>();
  beforeAll(async () => {
    for (const scope of [
      'webhooks:read',
      'webhooks:write',
      'audit:read',
      'wallet:read',
      'wallet:write',
      'payments:read',
      'payments:write',
      'fraud:read',
      'fraud:write',
      'forms:read',
      'forms:write',
    ]) {
      keys.set(scope, await holdfast.keyWith(scope));
      keys.set(`all but ${scope}`, await holdfast.keyWith(...ALL_SCOPES.filter((each) => each !== scope)));
    }
    keys.set('all but admin', await holdfast.keyWith(...ALL_SCOPES));
    keys.set('admin', holdfast.server.adminKey);
  });
  const withKey = (route: string, name: string) => request(route, { authorization: `Bearer ${keys.get(name)}` });

  it.each(Object.entries(SCOPES).filter(([, scope]) => scope !== ''))(
    'for %s needs the scope %s, and nothing else will do',
    async (route, scope) => {
      const refused = await withKey(route, `all but ${scope}`);
      expectProblem(refused, 403, 'FORBIDDEN');
      expect(refused.body['details']).toEqual({ requiredScopes: [scope], missingScopes: [scope] });
      expect([401, 403]).not.toContain((await withKey(route, scope)).status);
      expect([401, 403]).not.toContain((await withKey(route, 'admin')).status);
    },
  );

  it('may create keys with its own scopes and no more', async () => {
    const create = (scopes: string[]) =>
      holdfast.call('POST', '/api/api-keys', { name: 'child', scopes }, keys.get('webhooks:read'));
    expect((await create(['webhooks:read'])).status).toBe(201);
    expectProblem(await create(['webhooks:read', 'webhooks:write']), 403, 'FORBIDDEN');
    expectProblem(await create(['admin']), 403, 'FORBIDDEN');
  });

  it('is shown once and never again, and stops working when it is revoked', async () => {
    const created = await holdfast.call('POST', '/api/api-keys', { name: 'short-lived', scopes: ['webhooks:read'] });
    const { id, key } = created.body as { id: string; key: string };
    expect(key).toMatch(/^hf_test_/);
    const list = () => holdfast.call('GET', '/api/webhook-events', undefined, key);
    expect((await list()).status).toBe(200);
    for (const path of ['/api/api-keys?limit=200', `/api/api-keys/${id}`, '/api/audit?limit=200']) {
      expect((await holdfast.call('GET', path)).text).not.toContain(key);
    }
    expect((await holdfast.call('DELETE', `/api/api-keys/${id}`)).status).toBe(204);
    expectProblem(await list(), 401, 'UNAUTHENTICATED');
    const rows = await holdfast.sql<{ row: string }>('SELECT k::text AS row FROM api_keys AS k');
    expect(rows.filter(({ row }) => row.includes(key))).toEqual([]);
  });

  it('that is not there is 404', async () => {
    for (const id of ['01890000-0000-7000-8000-000000000000', 'not-a-uuid']) {
      expectProblem(await holdfast.call('GET', `/api/api-keys/${id}`), 404, 'NOT_FOUND');
      expectProblem(await holdfast.call('DELETE', `/api/api-keys/${id}`), 404, 'NOT_FOUND');
    }
  });
});

describe('A credential', () => {
  const EVENTS = 'GET /api/webhook-events';
  const unknown = `hf_test_${'a'.repeat(49)}`;

  it('may come as a bearer token or as X-API-Key, or as both when they agree', async () => {
    const key = holdfast.server.adminKey;
    const ways: Record<string, string>[] = [
      { Authorization: `Bearer ${key}` },
      { Authorization: `bearer ${key}` },
      { 'X-API-Key': key },
      { Authorization: `Bearer ${key}`, 'X-API-Key': key },
    ];
    for (const headers of ways) expect((await request(EVENTS, headers)).status).toBe(200);
  });

  it.each<[string, (key: string) => Record<string, string>]>([
    ['is unknown', () => ({ Authorization: `Bearer ${unknown}` })],
    ['is unknown, as X-API-Key', () => ({ 'X-API-Key': unknown })],
    ['lacks its last letter', (key) => ({ Authorization: `Bearer ${key.slice(0, -1)}` })],
    ['has a letter too many', (key) => ({ Authorization: `Bearer ${key}a` })],
    ['is empty', () => ({ Authorization: 'Bearer ' })],
    ['is of another scheme', (key) => ({ Authorization: `Basic ${Buffer.from(`x:${key}`).toString('base64')}` })],
    ['has no scheme', (key) => ({ Authorization: key })],
    ['contradicts the other', (key) => ({ Authorization: `Bearer ${key}`, 'X-API-Key': unknown })],
    ['is in the query', () => ({})],
  ])('is refused with 401 when it %s', async (_, headers) => {
    const { adminKey } = holdfast.server;
    expectProblem(await request(`${EVENTS}?api_key=${adminKey}`, headers(adminKey)), 401, 'UNAUTHENTICATED');
  });

  it('is refused when its header comes twice', async () => {
    const header: [string, string] = ['Authorization', `Bearer ${holdfast.server.adminKey}`];
    const twice = rawRequest('GET /api/webhook-events', [header, header]);
    expectProblem(await speak(holdfast.server.url, twice), 401, 'UNAUTHENTICATED');
  });
});

import { describe, expect, it } from '@jest/globals';
import { answerOf, expectProblem } from '../support/http-answer.js';
import { rawRequest, speak } from '../support/raw-http.js';
import { serverUnderTest } from '../support/server-under-test.js';
import { stripeEvent } from '../support/webhook-sender.js';

const holdfast = serverUnderTest();

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const SOURCES = '/api/webhook-sources';

/** A request with exactly these headers beside the admin key. */
const post = async (path: string, body: string | Uint8Array, headers: Record<string, string>) =>
  answerOf(await holdfast.server.fetch(path, { method: 'POST', body: new Uint8Array(Buffer.from(body)), headers }));
const postJson = (body: string) => post(SOURCES, body, { 'content-type': 'application/json' });

describe('An address nobody listens on', () => {
  it.each([
    ['GET', '/'],
    ['GET', '/nothing/here'],
    ['POST', '/nothing/here'],
    ['POST', '/webhooks/'],
    ['GET', '/webhooks/'],
    ['POST', '/webhooks//topic'],
    ['POST', '/webhooks/stripe/a/b'],
    ['OPTIONS', '/nothing/here'],
    ['GET', '/docs/nothing-here'],
  ])('is answered 404: %s %s', async (method, path) => {
    const body = method === 'POST' || method === 'PUT' ? { some: 'body' } : undefined;
    expectProblem(await holdfast.call(method, path, body), 404, 'NOT_FOUND');
  });

  it('names the path and leaves out the query, which may hold what should not be repeated', async () => {
    const { body, text } = await holdfast.call('GET', '/nothing/here?token=abc');
    expect(body['instance']).toBe('/nothing/here');
    expect(text).not.toContain('abc');
  });
});

describe('An address that takes other methods', () => {
  it.each([
    ['DELETE', '/health/live', 'GET, HEAD'],
    ['POST', '/metrics', 'GET, HEAD'],
    ['PUT', '/openapi.json', 'GET, HEAD'],
    ['PUT', '/docs', 'GET, HEAD'],
    ['DELETE', '/docs/swagger-ui.css', 'GET, HEAD'],
    ['GET', '/webhooks/stripe', 'POST'],
    ['HEAD', '/webhooks/stripe', 'POST'],
    ['PUT', '/webhooks/gorgias/ticket', 'POST'],
    ['GET', '/api/stripe/webhook', 'POST'],
    ['GET', '/api/auth/login', 'POST'],
    ['PUT', SOURCES, 'GET, HEAD, POST'],
    ['OPTIONS', SOURCES, 'GET, HEAD, POST'],
    ['POST', `${SOURCES}/stripe?name=x`, 'GET, HEAD, PATCH, DELETE'],
    ['HEAD', `${SOURCES}/stripe/secrets`, 'POST'],
  ])('says which: %s %s', async (method, path, allowed) => {
    const answer = await holdfast.call(method, path);
    expect(answer.status).toBe(405);
    expect(answer.headers.get('allow')).toBe(allowed);
    if (method !== 'HEAD') expectProblem(answer, 405, 'METHOD_NOT_ALLOWED');
  });

  it('says so before it looks at a body or a credential', async () => {
    const answer = await post(`${SOURCES}/stripe`, 'no json', { 'content-type': 'text/plain', authorization: 'none' });
    expectProblem(answer, 405, 'METHOD_NOT_ALLOWED');
    expectProblem(await post('/nothing', 'no json', { 'content-type': 'text/plain' }), 404, 'NOT_FOUND');
  });

  it('does so for every route of the OpenAPI document, and for no method that works', async () => {
    const { paths } = (await holdfast.call('GET', '/openapi.json')).body as { paths: Record<string, object> };
    for (const [path, operations] of Object.entries(paths)) {
      const { status, headers } = await holdfast.call('OPTIONS', path.replace(/\{\w+\}/g, 'x'));
      const allowed = headers
        .get('allow')
        ?.split(', ')
        .filter((method) => method !== 'HEAD');
      const documented = Object.keys(operations).map((method) => method.toUpperCase());
      expect({ path, status, allowed: allowed?.toSorted() }).toEqual({
        path,
        status: 405,
        allowed: documented.toSorted(),
      });
    }
  });
});

describe('A body out of all proportion', () => {
  const members = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, n) => [`k${n}`, n]));

  it.each([
    ['values', [Array.from({ length: 4000 }, () => [1])], '5000 values'],
    ['members of one object', { scheme: members(201) }, '200 members'],
  ])('is refused before it is read, for everybody would have to wait: %s', async (_, body, reason) => {
    const answer = await postJson(JSON.stringify(body));
    expectProblem(answer, 400, 'VALIDATION_FAILED');
    expect(answer.body['detail']).toContain(reason);
  });

  it('is answered shortly: 20 mistakes, how many there are, and of long names the beginning', async () => {
    const many = await postJson(JSON.stringify(members(200)));
    expectProblem(many, 400, 'VALIDATION_FAILED');
    expect(many.body['details']).toEqual({ errors: expect.any(Array), total: 203 });
    expect((many.body['details'] as { errors: unknown[] }).errors).toHaveLength(20);
    const long = await postJson(JSON.stringify({ ['x'.repeat(200_000)]: 1 }));
    expectProblem(long, 400, 'VALIDATION_FAILED');
    expect(long.text.length).toBeLessThan(4000);
  });
});

describe('A URL that cannot be read', () => {
  it.each([
    '/api/webhook-events/%zz',
    '/api/webhook-events/%',
    '/webhooks/%ff',
    '/api/webhook-events/by-event-id/a/%c3%28',
  ])('is answered 400: %s', async (path) => {
    expectProblem(await holdfast.call('GET', path), 400, 'BAD_REQUEST');
  });

  it.each(['/api/webhook-events/%00', '/webhooks/a%00b', '/api/audit?actor=%00', '/api/webhook-sources/%00'])(
    'is answered 400 when it holds NUL: %s',
    async (path) => {
      expectProblem(await holdfast.call('GET', path), 400, 'VALIDATION_FAILED');
    },
  );

  it('is refused politely when a part of it is longer than any id', async () => {
    const answer = await holdfast.call('GET', `/api/webhook-events/by-event-id/stripe/${'x'.repeat(5000)}`);
    expect([404, 414]).toContain(answer.status);
    expectProblem(answer, answer.status, String(answer.body['code']));
  });
});

describe('What is not HTTP', () => {
  const say = (text: string) => speak(holdfast.server.url, Buffer.from(text, 'latin1'));

  const WEBHOOK = 'POST /webhooks/stripe HTTP/1.1\r\nHost: a\r\n';

  it.each([
    ['a line of nonsense', 'hello there\r\n\r\n'],
    ['another protocol', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'],
    ['a header without a colon', 'GET /health/live HTTP/1.1\r\nHost: a\r\nbroken\r\n\r\n'],
    ['NUL in a header', 'GET /health/live HTTP/1.1\r\nHost: a\r\nX-A: a\0b\r\n\r\n'],
    ['a negative length', `${WEBHOOK}Content-Length: -1\r\n\r\n`],
    ['two lengths', `${WEBHOOK}Content-Length: 1\r\nContent-Length: 2\r\n\r\nab`],
    ['what smugglers like', `${WEBHOOK}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
    ['a chunk that is no chunk', `${WEBHOOK}Transfer-Encoding: chunked\r\n\r\nxyz\r\n\r\n`],
  ])('is answered 400: %s', async (_, text) => {
    const answer = await say(text);
    expect(answer).toMatchObject({ status: 400, body: { status: 400, code: 'BAD_REQUEST' } });
    expect(answer.headers.get('x-request-id')).toBe(answer.body['requestId']);
  });

  it('is answered 431 when its headers are too long', async () => {
    const answer = await say(`GET / HTTP/1.1\r\nHost: a\r\nX-Long: ${'x'.repeat(20_000)}\r\n\r\n`);
    expect(answer).toMatchObject({ status: 431, body: { status: 431, code: 'HEADERS_TOO_LARGE' } });
  });

  it('is answered 400 without a Host', async () => {
    expect((await say('GET /health/live HTTP/1.1\r\n\r\n')).status).toBe(400);
  });

  it('does no harm to the next request', async () => {
    await say('nonsense\r\n\r\n');
    expect((await holdfast.sender.stripe(stripeEvent())).status).toBe(200);
  });
});

describe('The body of an API request', () => {
  it.each([
    ['cut off', '{"name":'],
    ['something after its end', '{} {}'],
    ['a comment', '{/* */}'],
    ['NaN', '{"toleranceSeconds":NaN}'],
    ['100,000 levels', '['.repeat(100_000)],
    ['null', 'null'],
    ['a list', '[]'],
    ['a list of bodies', '[{"name":"listed","provider":"stripe","secret":"whsec_12345678"}]'],
    ['a text', '"text"'],
    ['a number', '7'],
    ['nothing', ''],
  ])('is refused when it is, or holds: %s', async (_, body) => {
    expectProblem(await postJson(body), 400, 'VALIDATION_FAILED');
  });

  it.each([
    ['a key that poisons prototypes', '"__proto__":{"admin":true}', /__proto__/],
    ['the same in an escape', '"\\u005f_proto__":1', /__proto__/],
    ['a key that poisons constructors', '"constructor":{"prototype":{"admin":true}}', /constructor/],
    ['a poisonous key further down', '"scheme":{"x":[{"__proto__":{"x":1}}]}', /__proto__/],
    ['NUL', '"maxRetries":"a\\u0000b"', /NUL/],
    ['half of a surrogate pair', '"maxRetries":"\\ud800"', /surrogate/],
    ['33 levels', `"deep":${'['.repeat(33)}${']'.repeat(33)}`, /levels/],
  ])('is refused for what it holds beside a good body: %s', async (_, part, reason) => {
    const answer = await postJson(`{"name":"poisoned","provider":"stripe","secret":"whsec_12345678",${part}}`);
    expectProblem(answer, 400, 'VALIDATION_FAILED');
    expect(answer.body['detail']).toMatch(reason);
    expect((await holdfast.call('GET', `${SOURCES}/poisoned`)).status).toBe(404);
  });

  it('is refused when it is not UTF-8', async () => {
    const latin1 = Buffer.from('{"name":"caf\u00e9"}', 'latin1');
    expectProblem(await post(SOURCES, latin1, { 'content-type': 'application/json' }), 400, 'VALIDATION_FAILED');
  });

  it.each(['text/plain', 'application/x-www-form-urlencoded', 'application/xml', 'multipart/form-data; boundary=b'])(
    'is refused as %s',
    async (contentType) => {
      expectProblem(
        await post(SOURCES, '{"name":"x"}', { 'content-type': contentType }),
        415,
        'UNSUPPORTED_MEDIA_TYPE',
      );
    },
  );

  it('is refused without a content type', async () => {
    const body = '{"name":"x"}';
    const request = rawRequest(
      `POST ${SOURCES}`,
      [
        ['Authorization', `Bearer ${holdfast.server.adminKey}`],
        ['Content-Length', String(body.length)],
      ],
      body,
    );
    expectProblem(await speak(holdfast.server.url, request), 415, 'UNSUPPORTED_MEDIA_TYPE');
  });
});

describe('The request id', () => {
  const withId = async (path: string, id: string) =>
    answerOf(await holdfast.server.fetch(path, { headers: { 'X-Request-Id': id } }));

  it.each(['abcdefgh', 'A.b_c-1234567890', 'x'.repeat(128)])('is kept when it is well-formed: %s', async (id) => {
    expect((await withId('/health/live', id)).headers.get('x-request-id')).toBe(id);
    const problem = await withId('/nothing', id);
    expect(problem.headers.get('x-request-id')).toBe(id);
    expect(problem.body['requestId']).toBe(id);
  });

  it.each(['short', 'x'.repeat(129), 'with space in it', '{"json":"injection"}', '<script>alert(1)</script>'])(
    'is replaced when it is not: %s',
    async (id) => {
      expect((await withId('/health/live', id)).headers.get('x-request-id')).toMatch(UUID);
    },
  );

  it('is new for each request that brings none', async () => {
    const ids = await Promise.all(
      Array.from({ length: 5 }, async () => (await holdfast.call('GET', '/health/live')).headers),
    );
    const values = ids.map((headers) => headers.get('x-request-id'));
    expect(new Set(values).size).toBe(5);
    for (const value of values) expect(value).toMatch(UUID);
  });

  it('finds the request in the log and in the audit', async () => {
    const id = 'a-request-to-be-found';
    const answer = await holdfast.sender.stripe(stripeEvent(), { headers: { 'X-Request-Id': id } });
    await withId('/api/webhook-events', id);
    const { body } = await holdfast.call('GET', `/api/audit?subject=webhook-event:${String(answer.body['id'])}`);
    expect(body['data']).toMatchObject([{ action: 'webhook.received', requestId: id }]);
    await holdfast.logged({ requestId: id, method: 'GET', path: '/api/webhook-events', status: 200 });
  });
});

describe('Every answer', () => {
  it.each([
    ['of a key', 'GET', '/api/webhook-events', {}],
    ['that a key is refused', 'GET', '/api/webhook-events/none', {}],
    ['that a bad query gets', 'GET', '/api/webhook-events?limit=no', {}],
    ['that a bad body gets', 'POST', SOURCES, {}],
    ['without a valid credential', 'GET', '/api/webhook-events', { authorization: 'Bearer hf_wrong' }],
    ['where there is nothing', 'GET', '/nothing', {}],
    ['to another method', 'PUT', SOURCES, {}],
    ['of health', 'GET', '/health/ready', {}],
    ['to a login', 'POST', '/api/auth/login', {}],
  ])('%s is kept by no cache, and told apart by who asks', async (_, method, path, headers) => {
    const answer = await holdfast.server.fetch(path, { method, headers });
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(answer.headers.get('vary')).toBe('Authorization, X-API-Key');
  });

  it.each(['/webhooks/%ff', `/webhooks/${'x'.repeat(2000)}`])(
    'to an address that cannot be read is kept by no cache: %s',
    async (path) => {
      expect((await holdfast.call('POST', path)).headers.get('cache-control')).toBe('no-store');
    },
  );

  it('that refuses a webhook is kept by no cache', async () => {
    expect((await holdfast.sender.post('/webhooks/stripe', '{}')).headers.get('cache-control')).toBe('no-store');
  });

  it('has security headers and does not tell what made it', async () => {
    for (const path of ['/health/live', '/api/webhook-events', '/nothing']) {
      const { headers } = await holdfast.call('GET', path);
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('content-security-policy')).toContain("default-src 'self'");
      expect(headers.get('x-powered-by')).toBeNull();
      expect(headers.get('server')).toBeNull();
    }
  });

  it('is without a query in the log', async () => {
    const { headers } = await holdfast.call('GET', '/api/webhook-events?type=to-be-kept-out-of-the-log');
    await holdfast.logged({ requestId: headers.get('x-request-id'), path: '/api/webhook-events' });
    expect(holdfast.server.output()).not.toContain('to-be-kept-out-of-the-log');
  });
});

describe('An error of our own', () => {
  it('is answered 500 without a word of SQL, stack or driver, and is in the log with its request id', async () => {
    await holdfast.sql('ALTER TABLE webhook_replay_jobs RENAME TO webhook_replay_jobs_away');
    try {
      const answer = await holdfast.call('GET', '/api/replay-jobs');
      expectProblem(answer, 500, 'INTERNAL_ERROR');
      expect(answer.text).not.toMatch(/webhook_replay|relation|select|\.ts|\.js|at /i);
      const requestId = answer.headers.get('x-request-id');
      await holdfast.logged({ level: 'error', requestId, code: 'INTERNAL_ERROR' });
    } finally {
      await holdfast.sql('ALTER TABLE webhook_replay_jobs_away RENAME TO webhook_replay_jobs');
    }
    expect((await holdfast.call('GET', '/api/replay-jobs')).status).toBe(200);
  });
});

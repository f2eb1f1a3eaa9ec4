import { describe, expect, it } from '@jest/globals';
import { type Answer, answerOf, expectProblem } from '../support/http-answer.js';
import { serverUnderTest } from '../support/server-under-test.js';
import { stripeEvent } from '../support/webhook-sender.js';

const APP = 'https://app.example';
const LOCAL = 'http://localhost:5173';
const PER_HOUR = 100_000;

const holdfast = serverUnderTest({
  env: {
    CORS_ORIGINS: `${APP}, ${LOCAL}`,
    PUBLIC_URL: 'https://hooks.example',
    RATE_LIMIT_PER_HOUR: String(PER_HOUR),
    AUTH_FAILURE_RATE_LIMIT: '2',
  },
});

const TRANSFERS = '/api/wallet/transfers';
const KEYS = '/api/api-keys';

/** What is no origin of ours, however much it looks like one. */
const STRANGERS = [
  'null',
  'https://evil.example',
  'https://app.example.evil.example',
  'https://evil-app.example',
  'https://app.example:8443',
  'http://app.example',
  'https://APP.example',
  'https://app.example/',
  'https://app.example@evil.example',
  'https://sub.app.example',
  'http://localhost:51730',
  `${APP}, ${LOCAL}`,
  '*',
];

/** As a browser asks before a request that is not simple; it never sends a credential along. */
async function preflight(path: string, origin: string | null, method = 'POST'): Promise<Answer> {
  const headers = {
    ...(origin !== null && { origin }),
    'access-control-request-method': method,
    'access-control-request-headers': 'authorization,content-type,idempotency-key',
  };
  return answerOf(await fetch(holdfast.server.url + path, { method: 'OPTIONS', headers }));
}

async function get(path: string, origin: string | null, headers: Record<string, string> = {}): Promise<Answer> {
  return answerOf(await holdfast.server.fetch(path, { headers: { ...headers, ...(origin !== null && { origin }) } }));
}

/** Names and values of everything that CORS says. */
function corsOf({ headers }: Answer): Record<string, string> {
  return Object.fromEntries([...headers].filter(([name]) => name.startsWith('access-control-')));
}

const listOf = (answer: Answer, name: string) => (answer.headers.get(name) ?? '').split(/, */).toSorted();

describe('A preflight', () => {
  it.each([APP, LOCAL])('of an allowed origin is granted what the API takes, for ten minutes: %s', async (origin) => {
    const answer = await preflight(TRANSFERS, origin);
    expect({ status: answer.status, text: answer.text }).toEqual({ status: 204, text: '' });
    expect(answer.headers.get('access-control-allow-origin')).toBe(origin);
    expect(listOf(answer, 'access-control-allow-methods')).toEqual(['DELETE', 'GET', 'HEAD', 'PATCH', 'POST', 'PUT']);
    expect(listOf(answer, 'access-control-allow-headers')).toEqual([
      'Accept',
      'Authorization',
      'Content-Type',
      'Idempotency-Key',
      'X-API-Key',
      'X-Idempotency-Key',
    ]);
    expect(answer.headers.get('access-control-max-age')).toBe('600');
    expect(answer.headers.get('access-control-allow-credentials')).toBeNull();
    expect(listOf(answer, 'vary')).toContain('Origin');
    expect(answer.headers.get('x-request-id')).toMatch(/\S/);
  });

  it.each([...STRANGERS, null])('of any other origin is granted nothing: %s', async (origin) => {
    const answer = await preflight(TRANSFERS, origin);
    expectProblem(answer, 405, 'METHOD_NOT_ALLOWED');
    expect(corsOf(answer)).toEqual({});
    expect(listOf(answer, 'vary')).toContain('Origin');
  });

  it('grants the same whatever method or header it asks for: the browser compares', async () => {
    const asked = await preflight(TRANSFERS, APP, 'TRACE');
    expect(corsOf(asked)).toEqual(corsOf(await preflight(TRANSFERS, APP)));
  });

  it('gets past the guard, and is not held against its address', async () => {
    for (let n = 0; n < 5; n++) expect((await preflight(KEYS, APP, 'GET')).status).toBe(204);
    for (let n = 0; n < 5; n++) expect((await preflight(KEYS, 'https://evil.example')).status).toBe(405);
    const anonymous = await fetch(holdfast.server.url + KEYS, { headers: { origin: APP } });
    expectProblem(await answerOf(anonymous), 401, 'UNAUTHENTICATED');
  });

  it('counts in no limit', async () => {
    const remaining = async () => Number((await get(KEYS, APP)).headers.get('x-ratelimit-remaining'));
    const before = await remaining();
    expect(before).toBeLessThan(PER_HOUR);
    for (let n = 0; n < 5; n++) await preflight(KEYS, APP, 'GET');
    expect(await remaining()).toBe(before - 1);
  });

  it.each(['/webhooks/stripe', '/webhooks/gorgias/ticket', '/api/stripe/webhook', '/api/paystack/webhook'])(
    'to a webhook is granted nothing: %s',
    async (path) => {
      const answer = await preflight(path, APP);
      expectProblem(answer, 405, 'METHOD_NOT_ALLOWED');
      expect(answer.headers.get('allow')).toBe('POST');
      expect(corsOf(answer)).toEqual({});
    },
  );
});

describe('A page of an allowed origin', () => {
  it('may read an answer and the headers that say where it stands', async () => {
    const answer = await get(KEYS, APP);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('access-control-allow-origin')).toBe(APP);
    expect(answer.headers.get('access-control-allow-credentials')).toBeNull();
    expect(listOf(answer, 'access-control-expose-headers')).toEqual([
      'Idempotent-Replayed',
      'RateLimit',
      'RateLimit-Policy',
      'Retry-After',
      'X-Idempotency-Age',
      'X-Idempotency-Created',
      'X-Idempotent-Replay',
      'X-RateLimit-Limit',
      'X-RateLimit-Remaining',
      'X-RateLimit-Reset',
      'X-Request-Id',
    ]);
  });

  it('may read refusals too: 401, 404, 400', async () => {
    const refusals = [
      await get(KEYS, APP, { authorization: 'Bearer hf_test_nobody' }),
      await get('/nothing/here', APP),
      await get(`${KEYS}?limit=many`, APP),
    ];
    for (const refusal of refusals) {
      expectProblem(refusal, refusal.status, String(refusal.body['code']));
      expect(refusal.headers.get('access-control-allow-origin')).toBe(APP);
    }
    expect(refusals.map(({ status }) => status)).toEqual([401, 404, 400]);
  });
});

describe('Whoever comes from elsewhere', () => {
  it.each([...STRANGERS, null])('is told nothing by CORS, and caches are told that it depends: %s', async (origin) => {
    const answer = await get(KEYS, origin);
    expect(answer.status).toBe(200);
    expect(corsOf(answer)).toEqual({});
    expect(listOf(answer, 'vary')).toContain('Origin');
  });

  it('is told nothing by a webhook either, whatever the origin', async () => {
    const answer = await holdfast.sender.stripe(stripeEvent(), { headers: { Origin: APP } });
    expect(answer.status).toBe(200);
    expect(corsOf(answer)).toEqual({});
    expect(answer.headers.get('vary')).toBeNull();
  });
});

describe('Behind TLS', () => {
  it.each(['/health/live', '/docs', '/api/api-keys', '/nothing/here'])(
    'browsers are told to come by HTTPS only, for a year, as PUBLIC_URL says: %s',
    async (path) => {
      const { headers } = await get(path, null);
      expect(headers.get('strict-transport-security')).toBe('max-age=31536000; includeSubDomains');
    },
  );
});

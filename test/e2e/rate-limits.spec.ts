import { describe, expect, it } from '@jest/globals';
import { type Answer, answerOf, expectProblem } from '../support/http-answer.js';
import { Scrape } from '../support/metrics.js';
import { startServer } from '../support/server.js';
import { serverUnderTest } from '../support/server-under-test.js';
import { userToken } from '../support/user-token.js';
import { waitFor } from '../support/wait-for.js';

const SOURCES = '/api/webhook-sources';
/** Somewhere between nothing and too much: tests ask for many things in a second, and look at one rule each. */
const limited = serverUnderTest({
  env: {
    RATE_LIMIT_PER_SECOND: '0',
    RATE_LIMIT_PER_MINUTE: '12',
    RATE_LIMIT_PER_HOUR: '1000',
    RATE_LIMIT_WINDOW_MS: '900000',
    RATE_LIMIT_MAX_REQUESTS: '0',
    MUTATION_RATE_LIMIT: '4',
    AUTH_FAILURE_RATE_LIMIT: '10',
    TRUSTED_PROXIES: '127.0.0.1',
  },
});
/** The operator of the tests, who must not be stopped: keys with limits of their own. */
let operators = 0;

/** A key that nothing has been asked with yet. The admin key's own limit must not end the tests. */
async function newKey(limits: Record<string, number> | null = null): Promise<{ id: string; key: string }> {
  if (operators++ === 0) await free(`api-key:${await adminId()}`);
  const { status, body } = await limited.call('POST', '/api/api-keys', {
    name: 'limited',
    scopes: ['admin'],
    ...(limits && { limits }),
  });
  expect(status).toBe(201);
  return { id: String(body['id']), key: String(body['key']) };
}

async function adminId(): Promise<string> {
  const { body } = await limited.call('GET', '/api/api-keys?limit=200');
  return String((body['data'] as { id: string }[]).at(-1)?.id);
}

async function free(subject: string): Promise<void> {
  for (const rule of ['perMinute', 'perHour', 'mutations']) await override(subject, { rule, limit: 0 });
}

async function override(subject: string, body: Record<string, unknown>): Promise<Answer> {
  const answer = await limited.call('PUT', `/api/rate-limits/${encodeURIComponent(subject)}/override`, body);
  expect(answer.status).toBe(200);
  return answer;
}

async function answers(count: number, ask: () => Promise<Answer>): Promise<Answer[]> {
  const all: Answer[] = [];
  for (let each = 0; each < count; each++) all.push(await ask());
  return all;
}

const passed = (all: readonly Answer[]) => all.filter(({ status }) => status !== 429).length;
const read = (key: string) => () => limited.call('GET', SOURCES, undefined, key);
const change = (key: string) => () => limited.call('DELETE', `${SOURCES}/nothing`, undefined, key);

async function limitsOf(subject: string): Promise<Record<string, Record<string, unknown>>> {
  const { status, body } = await limited.call('GET', `/api/rate-limits/${encodeURIComponent(subject)}`);
  expect(status).toBe(200);
  const limits = body['limits'] as Record<string, unknown>[];
  return Object.fromEntries(limits.map((limit) => [limit['rule'], limit]));
}

describe('A key', () => {
  it('is refused with 429 beyond its limit, and told on every answer where it stands', async () => {
    const { key } = await newKey();
    const all = await answers(14, read(key));
    expect(passed(all)).toBe(12);
    expect(all.map(({ headers }) => headers.get('x-ratelimit-remaining'))).toEqual([
      '11',
      '10',
      '9',
      '8',
      '7',
      '6',
      '5',
      '4',
      '3',
      '2',
      '1',
      '0',
      '0',
      '0',
    ]);
    expect(all[0]!.headers.get('ratelimit-policy')).toBe('"perMinute";q=12;w=60, "perHour";q=1000;w=3600');
    expect(all[0]!.headers.get('ratelimit')).toBe('"perMinute";r=11;t=60');
    const refused = all.at(-1)!;
    expectProblem(refused, 429, 'RATE_LIMIT_EXCEEDED');
    const { retryAfter, resetAt } = refused.body['details'] as { retryAfter: number; resetAt: string };
    expect(refused.headers.get('retry-after')).toBe(String(retryAfter));
    expect(refused.headers.get('x-ratelimit-reset')).toBe(resetAt);
    expect(Date.now() + retryAfter * 1000).toBeGreaterThanOrEqual(Date.parse(resetAt) - 50);
    expect(retryAfter).toBeLessThanOrEqual(60);
  });

  it('may change less than it may read, and a refused change is charged to no tier', async () => {
    const { id, key } = await newKey();
    const changes = await answers(8, change(key));
    expect(passed(changes)).toBe(4);
    expect(changes.at(-1)!.headers.get('x-ratelimit-limit')).toBe('4');
    expect(await limitsOf(`api-key:${id}`)).toMatchObject({
      mutations: { used: 4, remaining: 0 },
      perMinute: { used: 4, remaining: 8 },
      perHour: { used: 4 },
    });
    expect(passed(await answers(10, read(key)))).toBe(8);
  });

  it('has limits of its own when it was made with them', async () => {
    const { id, key } = await newKey({ perMinute: 3, perHour: 0 });
    expect(passed(await answers(6, read(key)))).toBe(3);
    expect(await limitsOf(`api-key:${id}`)).toMatchObject({
      perMinute: { limit: 3, used: 3 },
      perHour: { limit: 0, used: 0, remaining: null },
    });
  });

  it('counts for itself, whatever addresses its requests claim to come from', async () => {
    const { key } = await newKey();
    let host = 0;
    const all = await answers(15, async () =>
      answerOf(
        await limited.server.fetch(SOURCES, {
          headers: { authorization: `Bearer ${key}`, 'x-forwarded-for': `192.0.2.${++host}` },
        }),
      ),
    );
    expect(passed(all)).toBe(12);
    expect(passed(await answers(1, read((await newKey()).key)))).toBe(1);
  });
});

describe('An override', () => {
  it('is in force at once, shown, audited, and gone when it is removed', async () => {
    const { id, key } = await newKey();
    const subject = `api-key:${id}`;
    expect(passed(await answers(14, read(key)))).toBe(12);
    const until = new Date(Date.now() + 3_600_000).toISOString();
    const { body } = await override(subject, { rule: 'perMinute', limit: 15, until });
    expect(body).toEqual({
      limit: 15,
      shadow: null,
      until,
      setBy: `api-key:${await adminId()}`,
      setAt: expect.any(String),
    });
    expect((await limitsOf(subject))['perMinute']).toMatchObject({ limit: 15, used: 12, remaining: 3, override: body });
    expect(passed(await answers(5, read(key)))).toBe(3);

    const path = `/api/rate-limits/${subject}/override`;
    expect((await limited.call('DELETE', `${path}?rule=perMinute`)).status).toBe(204);
    expect((await limitsOf(subject))['perMinute']).toMatchObject({ limit: 12, override: null });
    expectProblem(await limited.call('DELETE', path), 404, 'NOT_FOUND');
    const { body: audit } = await limited.call('GET', `/api/audit?subject=${subject}`);
    expect((audit['data'] as { action: string }[]).map(({ action }) => action)).toEqual([
      'rate_limit.restored',
      'rate_limit.overridden',
      'api_key.created',
    ]);
  });

  it('ends by itself', async () => {
    const { id, key } = await newKey();
    await override(`api-key:${id}`, { rule: 'perMinute', limit: 1, until: new Date(Date.now() + 1500).toISOString() });
    expect(passed(await answers(3, read(key)))).toBe(1);
    await waitFor(async () => (await limitsOf(`api-key:${id}`))['perMinute']?.['limit'] === 12);
    expect(passed(await answers(1, read(key)))).toBe(1);
  });

  it('can turn on the window of the operator for one key', async () => {
    const { id, key } = await newKey();
    expect((await limitsOf(`api-key:${id}`))['window']).toMatchObject({
      limit: 0,
      windowSeconds: 900,
      remaining: null,
    });
    await override(`api-key:${id}`, { rule: 'window', limit: 2 });
    const all = await answers(4, read(key));
    expect(passed(all)).toBe(2);
    expect(all[0]!.headers.get('ratelimit')).toBe('"window";r=1;t=900');
    expect((await limitsOf(`api-key:${id}`))['window']).toMatchObject({ limit: 2, used: 2, remaining: 0 });
  });

  it('can make a rule a shadow, for everyone too: counted, never refused', async () => {
    const { id, key } = await newKey();
    await override(`api-key:${id}`, { rule: 'perMinute', shadow: true });
    expect(passed(await answers(20, read(key)))).toBe(20);
    const scrape = await Scrape.of(limited.server);
    expect(
      scrape.value('holdfast_rate_limit_decisions_total', { policy: 'perMinute', outcome: 'shadow_refused' }),
    ).toBeGreaterThanOrEqual(8);

    await override('everyone', { rule: 'mutations', shadow: true });
    const other = await newKey();
    expect(passed(await answers(6, change(other.key)))).toBe(6);
    expect((await limited.call('DELETE', '/api/rate-limits/everyone/override')).status).toBe(204);
    expect(passed(await answers(1, change(other.key)))).toBe(0);
  });

  it.each([
    ['rule', 'everyone', { rule: 'perYear', limit: 1 }],
    ['rule', 'everyone', { rule: 'webhooks', limit: 1 }],
    ['limit', 'everyone', { rule: 'perMinute' }],
    ['limit', 'everyone', { rule: 'perMinute', limit: -1 }],
    ['limit', 'everyone', { rule: 'perMinute', limit: 1.5 }],
    ['limit', 'everyone', { rule: 'perMinute', limit: null }],
    ['shadow', 'everyone', { rule: 'perMinute', shadow: 'yes' }],
    ['until', 'everyone', { rule: 'perMinute', limit: 1, until: 'tomorrow' }],
    ['until', 'everyone', { rule: 'perMinute', limit: 1, until: '2020-01-01T00:00:00Z' }],
    ['subject', 'somebody', { rule: 'perMinute', limit: 1 }],
    ['subject', 'ip:localhost', { rule: 'perMinute', limit: 1 }],
    ['subject', 'api-key:1', { rule: 'perMinute', limit: 1 }],
    ['subject', 'user:a b', { rule: 'perMinute', limit: 1 }],
  ])('with a bad %s is refused by name', async (path, subject, body) => {
    const answer = await limited.call('PUT', `/api/rate-limits/${encodeURIComponent(subject)}/override`, body);
    expectProblem(answer, 400, 'VALIDATION_FAILED');
    expect((answer.body['details'] as { errors: { path: string }[] }).errors.map((error) => error.path)).toEqual([
      path,
    ]);
  });

  it('of a key that is not there is 404', async () => {
    const path = '/api/rate-limits/api-key:01890000-0000-7000-8000-000000000000';
    expectProblem(await limited.call('GET', path), 404, 'NOT_FOUND');
    expectProblem(await limited.call('PUT', `${path}/override`, { rule: 'perMinute', limit: 1 }), 404, 'NOT_FOUND');
  });

  it('of an IPv6 address is one of its network', async () => {
    await override('ip:2001:db8:7::1', { rule: 'auth', limit: 99 });
    expect(await limitsOf('ip:2001:db8:7:0:1:2:3:4')).toMatchObject({ auth: { limit: 99 } });
    expect((await limitsOf('ip:2001:db8:8::1'))['auth']).toMatchObject({ override: null });
  });
});

describe('Whoever fails to say who it is', () => {
  const fail = (address: string, key = `hf_test_${'z'.repeat(40)}`) =>
    limited.server
      .fetch(SOURCES, { headers: { authorization: `Bearer ${key}`, 'x-forwarded-for': address } })
      .then(answerOf);

  it('is answered 429 after a while, and nobody else is, nor who at that address is genuine', async () => {
    const { key } = await newKey({ perMinute: 0 });
    const all = await answers(14, () => fail('198.51.100.1'));
    expect(all.slice(0, 10).map(({ status }) => status)).toEqual(Array(10).fill(401));
    for (const answer of all.slice(10)) {
      expectProblem(answer, 429, 'RATE_LIMIT_EXCEEDED');
      expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
      expect(answer.headers.get('x-ratelimit-limit')).toBe('10');
    }
    // Nobody has used the key before.
    expect((await fail('198.51.100.1', key)).status).toBe(200);
    expect((await fail('198.51.100.1', await userToken('ann'))).status).toBe(403);
    expect((await fail('198.51.100.2')).status).toBe(401);
  });

  it('does not keep a good key out with a thousand wrong ones at once', async () => {
    const { key } = await newKey({ perMinute: 0 });
    const wrong = Array.from({ length: 1000 }, (_, n) =>
      fail('198.51.100.3', `hf_test_${String(n).padStart(40, 'z')}`),
    );
    const right = await fail('198.51.100.3', key);
    expect(right.status).toBe(200);
    const statuses = (await Promise.all(wrong)).map(({ status }) => status);
    expect(statuses.filter((status) => status === 401)).toHaveLength(10);
    expect(statuses.filter((status) => status === 429)).toHaveLength(990);
  });

  it('gains nothing by addresses of one IPv6 network', async () => {
    let host = 0;
    const all = await answers(14, () => fail(`2001:db8:9::${(++host).toString(16)}`));
    expect(passed(all)).toBe(10);
    expect((await fail('2001:db8:9:1::1')).status).toBe(401);
  });
});

describe('A forged X-Forwarded-For', () => {
  it('gains nothing where no proxy is trusted', async () => {
    const server = await startServer({ env: { DATABASE_URL: limited.database.url, AUTH_FAILURE_RATE_LIMIT: '5' } });
    try {
      let host = 0;
      const all = await answers(9, async () =>
        answerOf(
          await server.fetch(SOURCES, {
            headers: { authorization: 'Bearer hf_wrong', 'x-forwarded-for': `192.0.2.${++host}` },
          }),
        ),
      );
      expect(passed(all)).toBe(5);
    } finally {
      await server.stop();
    }
  });
});

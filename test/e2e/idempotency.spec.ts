import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Answer, expectProblem } from '../support/http-answer.js';
import { COMMITTED, GUARDED, IdempotentCluster, isReplay, newKey, post } from '../support/idempotent-cluster.js';
import { Scrape } from '../support/metrics.js';
import { rawRequest, speak } from '../support/raw-http.js';
import type { TestServer } from '../support/server.js';
import { waitFor } from '../support/wait-for.js';

let cluster: IdempotentCluster;
let servers: [TestServer, TestServer];
let [one, other]: TestServer[] = [];

beforeAll(async () => {
  cluster = await IdempotentCluster.create();
  servers = [await cluster.start(), await cluster.start()];
  [one, other] = servers;
});

afterAll(() => cluster?.end());

const first = () => one!;
const second = () => other!;

/** Everything that must be the same when an answer is given again. */
function sent({ status, headers, text }: Answer): unknown {
  return { status, type: headers.get('content-type'), length: headers.get('content-length'), text };
}

async function outcomes(server: TestServer): Promise<(outcome: string) => number> {
  const scrape = await Scrape.of(server);
  return (outcome) => scrape.value('holdfast_idempotency_requests_total', { outcome }) ?? 0;
}

/** The header of a credential that has sent nothing yet. */
async function callerOf(server: TestServer): Promise<{ authorization: string }> {
  const { body } = await post(server, '/api/api-keys', undefined, { name: 'caller', scopes: ['webhooks:read'] });
  return { authorization: `Bearer ${String(body['key'])}` };
}

describe.each([
  ['a guarded route', GUARDED],
  ['a route that commits effect and answer together', COMMITTED],
])('On %s', (_, path) => {
  it('a repeat gets the same bytes, says so, and has no effect, on whichever server', async () => {
    const key = newKey();
    const before = Date.now();
    const answer = await post(first(), path, key, { value: 'once' });
    expect(answer.status).toBe(201);
    expect(answer.text).toContain('naïve – 日本語 🙂');
    expect(isReplay(answer)).toBe(false);

    for (const server of [first(), second(), second()]) {
      const repeat = await post(server, path, key, { value: 'once' });
      expect(sent(repeat)).toEqual(sent(answer));
      expect(isReplay(repeat)).toBe(true);
      expect(Number(repeat.headers.get('x-idempotency-age'))).toBeLessThanOrEqual(60);
      const created = repeat.headers.get('x-idempotency-created') ?? '';
      expect(new Date(created).toISOString()).toBe(created);
      expect(Math.abs(Date.parse(created) - before)).toBeLessThan(60_000);
    }
    expect(await cluster.effectsOf(key)).toHaveLength(1);
  });

  it('of five requests at once with one key one has an effect, and all that are answered read the same', async () => {
    const key = newKey();
    const answers = await Promise.all(
      Array.from({ length: 5 }, (__, index) => post(servers[index % 2]!, path, key, { value: 'five' })),
    );
    const answered = answers.filter(({ status }) => status === 201);
    expect(new Set(answered.map(({ text }) => text)).size).toBe(1);
    for (const refused of answers.filter(({ status }) => status !== 201)) {
      expectProblem(refused, 409, 'IDEMPOTENCY_KEY_IN_USE');
      expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    }
    expect(await cluster.effectsOf(key)).toHaveLength(1);
  });

  it('of 200 at once over two servers, a tenth of them altered, one has an effect and the altered read 422', async () => {
    const key = newKey();
    await post(first(), path, key, { value: 'mine' });
    const answers = await Promise.all(
      Array.from({ length: 200 }, async (__, index) => {
        const altered = index % 10 === 0;
        const answer = await post(servers[index % 2]!, path, key, { value: altered ? `altered ${index}` : 'mine' });
        return { altered, answer };
      }),
    );
    for (const { altered, answer } of answers) {
      if (altered) expectProblem(answer, 422, 'IDEMPOTENCY_KEY_REUSED');
      else expect({ status: answer.status, replay: isReplay(answer) }).toEqual({ status: 201, replay: true });
    }
    expect(new Set(answers.flatMap(({ altered, answer }) => (altered ? [] : [answer.text]))).size).toBe(1);
    expect(await cluster.effectsOf(key)).toHaveLength(1);
  });

  it('of 200 at once with a fresh key, a tenth of them altered, one body wins and it has its effect once', async () => {
    const key = newKey();
    const answers = await Promise.all(
      Array.from({ length: 200 }, (__, index) =>
        post(servers[index % 2]!, path, key, { value: index % 10 === 0 ? `altered ${index}` : 'mine' }),
      ),
    );
    const statuses = new Set(answers.map(({ status }) => status));
    expect([...statuses].filter((status) => ![201, 409, 422].includes(status))).toEqual([]);
    expect(new Set(answers.filter(({ status }) => status === 201).map(({ text }) => text)).size).toBe(1);
    expect(await cluster.effectsOf(key)).toHaveLength(1);
  });

  it('another spelling of the same JSON is a repeat, and anything else under the key is not', async () => {
    const key = newKey();
    await post(first(), path, key, '{"value":"a","refuse":null}'.replace(',"refuse":null', ''));
    expect(isReplay(await post(second(), path, key, '{ "value" : "\\u0061" }'))).toBe(true);
    for (const body of ['{"value":"b"}', '{"value":"a","status":201}', '{}']) {
      expectProblem(await post(second(), path, key, body), 422, 'IDEMPOTENCY_KEY_REUSED');
    }
    expectProblem(await post(second(), `${path}?n=1`, key, { value: 'a' }), 422, 'IDEMPOTENCY_KEY_REUSED');
    expect(await cluster.effectsOf(key)).toHaveLength(1);
  });

  it('the key is the caller’s own: another credential with the same key is another request', async () => {
    const key = newKey();
    const [mine, theirs] = [
      await post(first(), path, key, { value: 'mine' }),
      await post(first(), path, key, { value: 'theirs' }, await callerOf(first())),
    ];
    expect([mine.status, theirs.status]).toEqual([201, 201]);
    expect(await cluster.effectsOf(key)).toHaveLength(2);
  });

  it('an expired key is a new request', async () => {
    const key = newKey();
    await post(first(), path, key, { value: 'old' });
    await cluster.expire(key);
    const answer = await post(second(), path, key, { value: 'new' });
    expect({ status: answer.status, replay: isReplay(answer) }).toEqual({ status: 201, replay: false });
    expect(isReplay(await post(second(), path, key, { value: 'new' }))).toBe(true);
    expect(await cluster.effectsOf(key)).toMatchObject([{ value: 'old' }, { value: 'new' }]);
  });

  it('a body that is no JSON we can compare is refused with 400', async () => {
    expectProblem(await post(first(), path, newKey(), '{"value":1e400}'), 400, 'VALIDATION_FAILED');
  });
});

describe('A key', () => {
  it('may come as X-Idempotency-Key, and quoted', async () => {
    const key = newKey();
    await post(first(), GUARDED, key, {});
    expect(isReplay(await post(first(), GUARDED, undefined, {}, { 'x-idempotency-key': key }))).toBe(true);
    expect(isReplay(await post(first(), GUARDED, `"${key}"`, {}))).toBe(true);
    expect(isReplay(await post(first(), GUARDED, key, {}, { 'x-idempotency-key': `"${key}"` }))).toBe(true);
  });

  it('that is missing where one is required is 400 IDEMPOTENCY_KEY_REQUIRED', async () => {
    for (const path of ['/test/required', COMMITTED]) {
      expectProblem(await post(first(), path, undefined), 400, 'IDEMPOTENCY_KEY_REQUIRED');
    }
  });

  it.each(['short', '', 'a'.repeat(129), 'with spaces in it, and more', `${'a'.repeat(20)}!`])(
    'that is malformed is 400 IDEMPOTENCY_KEY_INVALID: "%s"',
    async (key) => {
      for (const path of ['/test/required', GUARDED, COMMITTED]) {
        expectProblem(await post(first(), path, key), 400, 'IDEMPOTENCY_KEY_INVALID');
      }
    },
  );

  it('given twice is 400, in one header or two that differ', async () => {
    const key = newKey();
    const differing = await post(first(), GUARDED, key, {}, { 'x-idempotency-key': newKey() });
    expectProblem(differing, 400, 'IDEMPOTENCY_KEY_INVALID');
    const headers: [string, string][] = [
      ['Authorization', `Bearer ${first().adminKey}`],
      ['Content-Type', 'application/json'],
      ['Content-Length', '2'],
      ['Idempotency-Key', key],
      ['Idempotency-Key', key],
    ];
    const repeated = await speak(first().url, rawRequest(`POST ${GUARDED}`, headers, '{}'));
    expectProblem(repeated, 400, 'IDEMPOTENCY_KEY_INVALID');
    expect(await cluster.effectsOf(key)).toEqual([]);
  });

  it('is not looked at before the credential', async () => {
    const refused = await post(first(), COMMITTED, 'bad', {}, { authorization: 'Bearer hf_unknown' });
    expectProblem(refused, 401, 'UNAUTHENTICATED');
  });

  it('means nothing to GET and HEAD, nor to a route that takes none', async () => {
    for (const method of ['GET', 'HEAD']) {
      const response = await first().fetch('/test/read', { method, headers: { 'idempotency-key': 'bad' } });
      expect(response.status).toBe(200);
    }
    const key = newKey();
    const [a, b] = [await post(first(), '/test/without', key), await post(first(), '/test/without', key)];
    expect([a.status, b.status]).toEqual([201, 201]);
    expect(a.body['n']).not.toBe(b.body['n']);
    expect(await cluster.query('SELECT FROM idempotency_records WHERE key = $1', [key])).toEqual([]);
  });

  it('is not needed where it is optional: each request is a new one, answered as Nest would', async () => {
    const [a, b] = [await post(first(), GUARDED, undefined), await post(first(), GUARDED, undefined)];
    expect([a.status, b.status]).toEqual([201, 201]);
    expect(a.body['n']).not.toBe(b.body['n']);
    expect(a.headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(a.text).toContain('12345678901234567890');
    expect(a.headers.get('x-hop')).toBe('first answer only');
  });
});

describe('What is answered', () => {
  it.each([
    [{ answer: 'text' }, 201, 'text/plain; charset=utf-8'],
    [{ answer: 'nothing' }, 201, null],
    [{ answer: 'nothing', status: 204 }, 204, null],
    [{ status: 202 }, 202, 'application/json; charset=utf-8'],
  ])('on a guarded route may be anything Nest sends: %j', async (wish, status, type) => {
    const key = newKey();
    const answer = await post(first(), GUARDED, key, wish);
    const plain = await post(first(), GUARDED, undefined, wish);
    expect([answer.status, answer.headers.get('content-type')]).toEqual([status, type]);
    expect([plain.status, plain.headers.get('content-type')]).toEqual([status, type]);
    const repeats = [await post(first(), GUARDED, key, wish), await post(second(), GUARDED, key, wish)];
    for (const repeat of repeats) expect(sent(repeat)).toEqual(sent(answer));
    expect(repeats.map(isReplay)).toEqual([true, true]);
  });

  it('has the status of the route, and the claim in its handler', async () => {
    const key = newKey();
    const { status, body } = await post(first(), '/test/required', key, { value: 'a' });
    expect(status).toBe(202);
    expect(body['claim']).toEqual({
      scope: expect.stringMatching(/^api-key:[0-9a-f-]{36}:POST:\/test\/required$/),
      key,
      fingerprint: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
  });

  it('never includes cookies or other headers of the first answer when it is given again', async () => {
    const key = newKey();
    const answer = await post(first(), GUARDED, key);
    expect(answer.headers.get('set-cookie')).toBe('session=secret');
    for (const server of servers) {
      const repeat = await post(server, GUARDED, key);
      expect(isReplay(repeat)).toBe(true);
      expect([repeat.headers.get('set-cookie'), repeat.headers.get('x-hop')]).toEqual([null, null]);
      expect(repeat.headers.get('x-request-id')).not.toBe(answer.headers.get('x-request-id'));
    }
  });

  it.each([402, 404, 409])('is kept when it is a refusal by the state of things: %i', async (refuse) => {
    const key = newKey();
    const answer = await post(first(), GUARDED, key, { refuse });
    expectProblem(answer, refuse, 'REFUSED_AS_ASKED');
    for (const server of servers) {
      const repeat = await post(server, GUARDED, key, { refuse });
      expect(sent(repeat)).toEqual(sent(answer));
      expect(isReplay(repeat)).toBe(true);
    }
    expect(await cluster.effectsOf(key)).toHaveLength(1);
  });

  it.each([
    ...[400, 401, 403, 422, 429, 500, 503].map((refuse) => ({ refuse })),
    { refuse: 409, retryAfter: 1 },
    { status: 500 },
  ])('is not kept when it went wrong on the way: %j', async (wish) => {
    const key = newKey();
    const status = wish.refuse ?? wish.status;
    for (const server of servers) {
      const answer = await post(server, GUARDED, key, wish);
      expect({ status: answer.status, replay: isReplay(answer) }).toEqual({ status, replay: false });
    }
    expect(await cluster.effectsOf(key)).toMatchObject([{ resumed: false }, { resumed: false }]);
    expect((await post(first(), GUARDED, key, { value: 'corrected' })).status).toBe(201);
  });

  it('is logged and measured with the status it has, the first time and every time', async () => {
    const key = newKey();
    for (const attempt of ['first', 'again']) {
      const requestId = `${attempt}-${key}`;
      await post(first(), GUARDED, key, { refuse: 402 }, { 'x-request-id': requestId });
      const line = await waitFor(() =>
        first()
          .logs()
          .find((each) => each['requestId'] === requestId),
      );
      expect(line).toMatchObject({ msg: 'request', status: 402 });
    }
  });

  it('is the refusal, when the transaction of the effect was rolled back because of it', async () => {
    const key = newKey();
    const answer = await post(first(), COMMITTED, key, { refuse: 409 });
    expectProblem(answer, 409, 'REFUSED_AS_ASKED');
    for (const server of servers) {
      const repeat = await post(server, COMMITTED, key, { refuse: 409 });
      expect(sent(repeat)).toEqual(sent(answer));
      expect(isReplay(repeat)).toBe(true);
    }
    expect(await cluster.effectsOf(key)).toEqual([]);
  });

  it.each([{ refuse: 403 }, { refuse: 422 }, { refuse: 500 }, { refuse: 409, retryAfter: 1 }])(
    'is not kept when the transaction was rolled back for this moment only: %j',
    async (wish) => {
      const key = newKey();
      for (const server of servers) {
        const answer = await post(server, COMMITTED, key, wish);
        expect({ status: answer.status, replay: isReplay(answer) }).toEqual({ status: wish.refuse, replay: false });
      }
      expect((await post(first(), COMMITTED, key, {})).status).toBe(201);
      expect(await cluster.effectsOf(key)).toHaveLength(1);
    },
  );

  it('is told as our fault when a handler with a key records nothing', async () => {
    expect((await post(first(), '/test/forgotten', undefined)).status).toBe(201);
    expectProblem(await post(first(), '/test/forgotten', newKey()), 500, 'INTERNAL_ERROR');
  });

  it('is sealed where the route is confidential, and the same again', async () => {
    const key = newKey();
    const answer = await post(first(), '/test/secret', key);
    expect(answer).toMatchObject({ status: 201, text: expect.stringContaining('naïve – 日本語 🙂') });
    for (const server of [second(), first(), second()]) {
      const repeat = await post(server, '/test/secret', key);
      expect(sent(repeat)).toEqual(sent(answer));
      expect(isReplay(repeat)).toBe(true);
    }
    const [record] = await cluster.query<{ body: string }>('SELECT body FROM idempotency_records WHERE key = $1', [
      key,
    ]);
    expect(record?.body).toMatch(/^sealed:v1:[\w-]+$/);
  });
});

describe('While the first request is in progress', () => {
  it('others with its key are told to come back, on both servers, and then read its answer', async () => {
    const key = newKey();
    const gate = newKey();
    const sentAt = performance.now();
    const answering = post(first(), GUARDED, key, { gate });
    await waitFor(async () => (await cluster.effectsOf(key)).length === 1);
    for (const server of servers) {
      const refused = await post(server, GUARDED, key, { gate });
      expectProblem(refused, 409, 'IDEMPOTENCY_KEY_IN_USE');
      // It began a moment ago: a second, or as long as a busy machine took to come here.
      const waited = Math.ceil((performance.now() - sentAt) / 1000);
      expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
      expect(Number(refused.headers.get('retry-after'))).toBeLessThanOrEqual(waited);
      expectProblem(await post(server, GUARDED, key, { gate, value: 'b' }), 422, 'IDEMPOTENCY_KEY_REUSED');
    }
    await cluster.open(gate);
    const answer = await answering;
    expect(answer.status).toBe(201);
    expect(sent(await post(second(), GUARDED, key, { gate }))).toEqual(sent(answer));
    expect(await cluster.effectsOf(key)).toHaveLength(1);
  });

  it('its work goes on when its client goes away, and the repeat reads the answer', async () => {
    const key = newKey();
    const gate = newKey();
    const gone = new AbortController();
    const headers = { 'content-type': 'application/json', 'idempotency-key': key };
    const body = JSON.stringify({ gate });
    const abandoned = first().fetch(GUARDED, { method: 'POST', headers, body, signal: gone.signal });
    await waitFor(async () => (await cluster.effectsOf(key)).length === 1);
    gone.abort();
    await expect(abandoned).rejects.toThrow();
    await cluster.open(gate);
    await waitFor(async () => isReplay(await post(second(), GUARDED, key, { gate })));
    expect(await cluster.effectsOf(key)).toHaveLength(1);
  });
});

describe('A caller that has used up its limit', () => {
  const LIMIT = 3;
  let limited: TestServer;

  beforeAll(async () => {
    limited = await cluster.start({ MUTATION_RATE_LIMIT: String(LIMIT), RATE_LIMIT_STORE: 'memory' });
  });

  it.each([GUARDED, COMMITTED])('still gets its repeats, known to that server or not: %s', async (path) => {
    const keys = Array.from({ length: 8 }, newKey);
    const mine = await callerOf(first());
    for (const key of keys) expect((await post(first(), path, key, {}, mine)).status).toBe(201);

    // Each is charged, found to be a repeat only in the database, and given back.
    for (const key of keys) expect(isReplay(await post(limited, path, key, {}, mine))).toBe(true);
    const fresh = [];
    for (let request = 0; request < LIMIT + 1; request++) fresh.push(await post(limited, path, newKey(), {}, mine));
    expect(fresh.map(({ status }) => status)).toEqual([201, 201, 201, 429]);

    for (const key of keys) expect(isReplay(await post(limited, path, key, {}, mine))).toBe(true);
    const unknownHere = newKey();
    await post(first(), path, unknownHere, {}, mine);
    expect(isReplay(await post(limited, path, unknownHere, {}, mine))).toBe(true);
    expect((await post(limited, path, newKey(), {}, mine)).status).toBe(429);
  });

  it('may send what was refused again with the same key, once it is let in', async () => {
    const mine = await callerOf(first());
    for (let request = 0; request < LIMIT; request++) await post(limited, GUARDED, newKey(), {}, mine);
    const key = newKey();
    expect((await post(limited, GUARDED, key, {}, mine)).status).toBe(429);
    const answer = await post(first(), GUARDED, key, {}, mine);
    expect({ status: answer.status, replay: isReplay(answer) }).toEqual({ status: 201, replay: false });
  });
});

describe('The figures', () => {
  it('count what became of requests, in the metrics of each server', async () => {
    const before = await outcomes(first());
    const key = newKey();
    await post(second(), COMMITTED, key);
    await post(first(), COMMITTED, key);
    await post(first(), COMMITTED, key);
    await post(first(), COMMITTED, key, { value: 'altered' });
    await post(first(), COMMITTED, newKey());
    const after = await outcomes(first());
    const counted = ['executed', 'database', 'memory', 'reused', 'redis', 'in_use', 'resumed'].map((outcome) => [
      outcome,
      after(outcome) - before(outcome),
    ]);
    expect(Object.fromEntries(counted)).toEqual({
      executed: 1,
      database: 1,
      memory: 1,
      reused: 1,
      redis: 0,
      in_use: 0,
      resumed: 0,
    });
  });

  it('are the same for everybody at GET /api/idempotency/stats, for admins only', async () => {
    const stats = async () =>
      (await first().fetch('/api/idempotency/stats')).json() as Promise<Record<string, unknown>>;
    const before = await stats();
    const [key, expired] = [newKey(), newKey()];
    await post(first(), GUARDED, key);
    await post(first(), GUARDED, key);
    await post(first(), GUARDED, key);
    await post(first(), GUARDED, key, { value: 'altered' });
    const after = await stats();
    expect(after).toMatchObject({
      total: Number(before['total']) + 1,
      estimated: false,
      executed: Number(before['executed']) + 1,
      replays: Number(before['replays']) + 2,
      reused: Number(before['reused']) + 1,
      hitRate: Number(after['replays']) / (Number(after['replays']) + Number(after['executed'])),
    });
    expect(Number(after['active']) + Number(after['expired'])).toBe(after['total']);

    await post(first(), GUARDED, expired);
    await cluster.expire(expired);
    const stored = (await Scrape.of(second())).value('holdfast_idempotency_stored_keys');
    expect(stored).toBeGreaterThanOrEqual(Number(after['active']));
    const response = await first().fetch('/api/idempotency/stats', { headers: await callerOf(first()) });
    expect(response.status).toBe(403);
  });

  it('survive a restart, and those of the last moment are written at shutdown', async () => {
    const server = await cluster.start();
    const key = newKey();
    await post(server, GUARDED, key);
    await post(server, GUARDED, key);
    const stats = async () => (await first().fetch('/api/idempotency/stats')).json() as Promise<{ replays: number }>;
    const { replays } = await stats();
    await post(server, GUARDED, key);
    expect(await server.stop()).toBe(0);
    expect((await stats()).replays).toBeGreaterThan(replays);
  });
});

describe('Expired keys', () => {
  it('leave the table by themselves', async () => {
    const key = newKey();
    await post(first(), GUARDED, key);
    await cluster.expire(key);
    const left = () => cluster.query('SELECT FROM idempotency_records WHERE key = $1', [key]);
    await waitFor(async () => (await left()).length === 0, { timeout: 25_000 });
  });
});

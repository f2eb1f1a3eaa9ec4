import { connect } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { type Answer, answerOf, expectProblem } from '../support/http-answer.js';
import { Connection, rawRequest, speak } from '../support/raw-http.js';
import { serverUnderTest } from '../support/server-under-test.js';
import { waitFor } from '../support/wait-for.js';

const holdfast = serverUnderTest({ env: { REQUEST_TIMEOUT_MS: '1000', KEEP_ALIVE_TIMEOUT_MS: '650000' } });

const SOURCES = '/api/webhook-sources';
const admin = (): [string, string] => ['Authorization', `Bearer ${holdfast.server.adminKey}`];
const say = (requestLine: string, headers: [string, string][] = [], body = '') =>
  speak(holdfast.server.url, rawRequest(requestLine, headers, body));

/** A source that must still be there afterwards. */
async function newSource(name: string, headers: Record<string, string> = {}): Promise<Answer> {
  const body = JSON.stringify({ name, provider: 'stripe', secret: 'whsec_12345678' });
  const init = { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body };
  const answer = await answerOf(await holdfast.server.fetch(SOURCES, init));
  expect(answer.status).toBe(201);
  return answer;
}

/** What is answered before there is a request: no instance. */
function expectRawProblem({ status, headers, body }: Answer, expected: number, code: string): void {
  expect({ status, code: body['code'] }).toEqual({ status: expected, code });
  expect(headers.get('content-type')).toBe('application/problem+json; charset=utf-8');
  expect(headers.get('cache-control')).toBe('no-store');
  expect(headers.get('x-request-id')).toBe(body['requestId']);
  expect(Object.keys(body).toSorted()).toEqual(
    ['code', 'detail', 'details', 'error', 'requestId', 'status', 'title', 'type'].toSorted(),
  );
}

describe('A request that is not as HTTP wants it', () => {
  const raw = (...lines: string[]) => speak(holdfast.server.url, Buffer.from(`${lines.join('\r\n')}\r\n\r\n`));

  it('is answered 417 when it expects what nobody promises', async () => {
    for (const path of ['/webhooks/stripe', SOURCES, '/nothing']) {
      expectRawProblem(await say(`POST ${path}`, [['Expect', 'x']]), 417, 'EXPECTATION_FAILED');
    }
  });

  it.each([
    ['no Host', ['GET /health/live HTTP/1.1']],
    ['two of them', ['GET /health/live HTTP/1.1', 'Host: a', 'Host: b']],
    ['the same one twice', ['POST /webhooks/stripe HTTP/1.1', 'host: a', 'Content-Length: 0', 'HOST: a']],
    ['none where there is nothing either', ['GET /nothing HTTP/1.1']],
  ])('is answered 400 when it has %s', async (_, lines) => {
    expectProblem(await raw(...lines), 400, 'BAD_REQUEST');
  });

  it('may leave Host out in HTTP/1.0', async () => {
    expect((await raw('GET /health/live HTTP/1.0')).status).toBe(200);
  });

  it.each(['OPTIONS *', 'GET *', 'GET //evil.example/health/live', 'GET http://evil.example'])(
    'is answered 404 when it asks for what is no path of ours: %s',
    async (line) => expect((await say(line)).body).toMatchObject({ status: 404, code: 'NOT_FOUND' }),
  );

  it.each(['GET health/live', 'GET ?query', 'PRI *'])('is answered 400 when it asks for no path: %s', async (line) => {
    expectRawProblem(await say(line), 400, 'BAD_REQUEST');
  });
});

describe('A connection without a request', () => {
  it('is kept for KEEP_ALIVE_TIMEOUT_MS, however soon a slow sender is given up', async () => {
    const [kept, slow] = [new Connection(holdfast.server.url), new Connection(holdfast.server.url)];
    kept.write('GET /health/live HTTP/1.1\r\nHost: a\r\n\r\n');
    await waitFor(() => /^HTTP\/1\.1 200 [^]*keep-alive: timeout=650\r\n/i.test(kept.received));
    slow.write('GET /health/live HTTP/1.1\r\nHost: a\r\n');
    await waitFor(() => slow.received.startsWith('HTTP/1.1 408 '));
    kept.write('GET /health/live HTTP/1.1\r\nHost: a\r\n\r\n');
    await waitFor(() => kept.received.split('HTTP/1.1 200 ').length - 1 === 2);
    kept.end();
    slow.end();
  });
});

describe('A verb that no route has', () => {
  it.each(['TRACE', 'QUERY', 'OPTIONS', 'PROPFIND', 'PURGE', 'SEARCH', 'LINK', 'PUT', 'COPY'])(
    'is answered 405 and repeats nothing of the request: %s',
    async (method) => {
      const answer = await say(`${method} ${SOURCES}`, [admin(), ['X-Secret', 'to-be-kept']]);
      expectProblem(answer, 405, 'METHOD_NOT_ALLOWED');
      expect(answer.headers.get('allow')).toBe('GET, HEAD, POST');
      expect(answer.text).not.toContain('to-be-kept');
    },
  );

  it('is answered 400 when HTTP has never heard of it', async () => {
    const answer = await say(`STEAL ${SOURCES}`, [admin()]);
    expect(answer).toMatchObject({ status: 400, body: { code: 'BAD_REQUEST' } });
  });

  it('opens no tunnel: CONNECT ends the connection', async () => {
    const answer = await say('CONNECT 127.0.0.1:22', [['X-Request-Id', 'a-tunnel-asked-for']]);
    expectRawProblem(answer, 405, 'METHOD_NOT_ALLOWED');
    expect(answer.headers.get('x-request-id')).toBe('a-tunnel-asked-for');
    expect(answer.headers.get('connection')).toBe('close');
    expect((await holdfast.call('GET', SOURCES)).status).toBe(200);
  });
});

describe('HEAD', () => {
  it('is answered like GET, without the body', async () => {
    const ask = async (method: string) => answerOf(await holdfast.server.fetch('/health/live', { method }));
    const [head, get] = [await ask('HEAD'), await ask('GET')];
    expect(head).toMatchObject({ status: 200, text: '' });
    for (const name of ['content-type', 'content-length', 'x-content-type-options']) {
      expect(head.headers.get(name)).toBe(get.headers.get(name));
    }
  });
});

describe('Another method in a header, the query or the body', () => {
  it.each(['X-HTTP-Method-Override', 'X-Method-Override', 'X-HTTP-Method'])('counts for nothing: %s', async (name) => {
    const source = `override-${name.toLowerCase()}`;
    await newSource(source);
    const headers = { [name]: 'DELETE', 'content-type': 'application/json' };
    for (const path of [`${SOURCES}/${source}`, `${SOURCES}/${source}?_method=DELETE`]) {
      const init = { method: 'POST', headers, body: '{"_method":"DELETE"}' };
      expectProblem(await answerOf(await holdfast.server.fetch(path, init)), 405, 'METHOD_NOT_ALLOWED');
      expect((await holdfast.server.fetch(path, { headers: { [name]: 'DELETE' } })).status).toBe(200);
    }
    expect((await holdfast.call('GET', `${SOURCES}/${source}`)).status).toBe(200);
  });
});

describe('Where a request says it came from or went to', () => {
  it('does not change the addresses that are shown', async () => {
    const forged = { 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'https', forwarded: 'host=evil.example' };
    const { text } = await newSource('forwarded', forged);
    expect(text).not.toContain('evil.example');
    const body = JSON.stringify({ name: 'hosted', provider: 'stripe', secret: 'whsec_12345678' });
    const lines = [
      `POST ${SOURCES} HTTP/1.1`,
      'Host: evil.example',
      admin().join(': '),
      'Content-Type: application/json',
      `Content-Length: ${body.length}`,
    ];
    const answer = await speak(holdfast.server.url, Buffer.from(`${lines.join('\r\n')}\r\n\r\n${body}`));
    expect(answer.status).toBe(201);
    expect(answer.text).not.toContain('evil.example');
  });

  it('changes nothing about who may call: the absolute form of an address is the same route', async () => {
    const line = `GET http://evil.example${SOURCES}`;
    expect((await say(line)).status).toBe(401);
    expect((await say(line, [admin()])).status).toBe(200);
  });

  it('does not let an address without a trusted proxy choose what the log says', async () => {
    const id = 'forged-forwarded-for';
    await say('GET /api/webhook-sources', [admin(), ['X-Forwarded-For', '203.0.113.9'], ['X-Request-Id', id]]);
    await holdfast.logged({ requestId: id, ip: '127.0.0.1' });
  });
});

describe('A header that comes twice', () => {
  it.each([
    ['Idempotency-Key', '/api/wallet/transfers'],
    ['X-Idempotency-Key', '/api/wallet/transfers'],
  ])('is refused where it decides: %s', async (name, path) => {
    const body = '{"fromUserId":"ann","toUserId":"bob","amount":1,"currency":"USD"}';
    const twice: [string, string][] = [
      [name, 'the-first-of-two-keys'],
      [name, 'the-second-of-two-keys'],
    ];
    const headers: [string, string][] = [
      admin(),
      ...twice,
      ['Content-Type', 'application/json'],
      ['Content-Length', String(body.length)],
    ];
    expectProblem(await say(`POST ${path}`, headers, body), 400, 'IDEMPOTENCY_KEY_INVALID');
  });
});

describe('A sender that takes its time', () => {
  it.each([
    ['over its headers', `GET ${SOURCES} HTTP/1.1\r\nHost: a\r\nX-Slow: `],
    [
      'over its body',
      `POST ${SOURCES} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{`,
    ],
  ])('%s is answered 408', async (_, beginning) => {
    const answer = await speak(holdfast.server.url, Buffer.from(beginning));
    expect(answer).toMatchObject({ status: 408, body: { status: 408, code: 'REQUEST_TIMEOUT' } });
  });

  it('holds up nobody else', async () => {
    const { hostname, port } = new URL(holdfast.server.url);
    const slow = Array.from({ length: 50 }, () => connect(Number(port), hostname));
    try {
      for (const socket of slow) socket.on('error', () => undefined).write('GET / HTTP/1.1\r\nHost: a\r\n');
      const started = performance.now();
      expect((await holdfast.call('GET', SOURCES)).status).toBe(200);
      expect(performance.now() - started).toBeLessThan(900);
    } finally {
      for (const socket of slow) socket.destroy();
    }
  });
});

describe('Without TLS before it', () => {
  it('the server does not send browsers to HTTPS, and without origins it says nothing about CORS', async () => {
    for (const method of ['GET', 'OPTIONS']) {
      const headers = { origin: 'https://app.example', 'access-control-request-method': 'POST' };
      const answer = await answerOf(await holdfast.server.fetch(SOURCES, { method, headers }));
      expect(answer.status).toBe(method === 'GET' ? 200 : 405);
      const said = [...answer.headers.keys()].filter((name) => /^(access-control|strict-transport)/.test(name));
      expect(said).toEqual([]);
      expect(answer.headers.get('vary')).not.toContain('Origin');
    }
  });
});

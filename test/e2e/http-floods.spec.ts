import { describe, expect, it } from '@jest/globals';
import { answerOf, expectProblem } from '../support/http-answer.js';
import { residentMebibytes } from '../support/process-status.js';
import { Connection, speak } from '../support/raw-http.js';
import { serverUnderTest } from '../support/server-under-test.js';
import { waitFor } from '../support/wait-for.js';

const PER_MINUTE = 300;
const holdfast = serverUnderTest({
  env: {
    REQUEST_TIMEOUT_MS: '1000',
    KEEP_ALIVE_TIMEOUT_MS: '1000',
    METRICS_MAX_AGE_MS: '1000',
    PUBLIC_READ_RATE_LIMIT: String(PER_MINUTE),
  },
});

/** Each test comes from an address of its own, which is limited by itself. */
let host = 1;
const newAddress = () => `127.0.0.${++host}`;
const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`;
const read = async (path: string, headers: Record<string, string> = {}) =>
  answerOf(await fetch(holdfast.server.url + path, { headers }));

describe('Whoever asks and does not read', () => {
  it.each(['/openapi.json', '/openapi.yaml', '/docs', '/docs/swagger-ui-init.js', '/metrics'])(
    'fills no memory, holds nobody up, and is cut off: %s',
    async (path) => {
      const localAddress = newAddress();
      await read(path);
      const before = residentMebibytes(holdfast.server.pid);
      const asked = get(path).repeat(Math.floor((64 * 1024) / get(path).length));
      const floods = Array.from(
        { length: 4 },
        () => new Connection(holdfast.server.url, { isRead: false, localAddress }),
      );
      for (const flood of floods) flood.write(asked);
      let slowest = 0;
      let most = before;
      await waitFor(async () => {
        const from = performance.now();
        expect((await read('/health/live')).status).toBe(200);
        slowest = Math.max(slowest, performance.now() - from);
        most = Math.max(most, residentMebibytes(holdfast.server.pid));
        // Who does not read learns of the end when writing.
        for (const flood of floods) flood.write('\r\n');
        return floods.every(({ isClosed }) => isClosed);
      });
      expect(most - before).toBeLessThan(120);
      expect(slowest).toBeLessThan(1500);
    },
  );

  it('is cut off after one question, too', async () => {
    const flood = new Connection(holdfast.server.url, { isRead: false, localAddress: newAddress() });
    // The page's largest script: more than the system keeps for a connection.
    for (let n = 0; n < 8; n++) flood.write(get('/docs/swagger-ui-bundle.js'));
    await waitFor(() => {
      flood.write('\r\n');
      return flood.isClosed;
    });
  });
});

describe('A connection', () => {
  it('is answered what it asks at once, up to 64 requests, and stays', async () => {
    const connection = new Connection(holdfast.server.url);
    for (let round = 1; round <= 3; round++) {
      connection.write(get('/health/live').repeat(64));
      await waitFor(() => connection.count('HTTP/1.1 200 OK') === 64 * round);
    }
    expect(connection.isClosed).toBe(false);
    connection.end();
  });

  it('that asks more at once is answered those, and closed', async () => {
    const connection = new Connection(holdfast.server.url);
    connection.write(get('/health/live').repeat(500));
    await waitFor(() => connection.isClosed);
    expect(connection.count('HTTP/1.1 200 OK')).toBe(64);
    expect(connection.count('{"status":"live"}')).toBe(64);
  });

  it('is closed when no request comes for KEEP_ALIVE_TIMEOUT_MS', async () => {
    const connection = new Connection(holdfast.server.url);
    connection.write(get('/health/live'));
    await waitFor(() => connection.isClosed);
    expect(connection.count('HTTP/1.1 200 OK')).toBe(1);
  });

  it('is closed when it never asks', async () => {
    const connection = new Connection(holdfast.server.url);
    await waitFor(() => connection.isClosed);
  });
});

describe('A document', () => {
  it.each([
    ['/openapi.json', 'application/json; charset=utf-8'],
    ['/openapi.yaml', 'text/yaml'],
    ['/docs', 'text/html'],
    ['/docs/', 'text/html'],
    ['/docs/swagger-ui-init.js', 'application/javascript'],
  ])('is given from memory, and not at all to who has it: %s', async (path, type) => {
    const [first, second] = [await read(path), await read(`${path}?v=1`, { 'If-None-Match': '"another"' })];
    for (const answer of [first, second]) {
      expect(answer.status).toBe(200);
      expect(answer.headers.get('content-type')).toBe(type);
      expect(answer.headers.get('cache-control')).toBe('public, max-age=300');
      expect(answer.headers.get('content-security-policy')).toContain("default-src 'self'");
    }
    expect(second.text).toBe(first.text);
    const etag = String(first.headers.get('etag'));
    expect(etag).toMatch(/^"[\w-]{43}"$/);
    expect(second.headers.get('etag')).toBe(etag);
    for (const tag of [etag, `W/${etag}`, `"another", ${etag}`, '*']) {
      const known = await read(path, { 'If-None-Match': tag });
      expect({ status: known.status, text: known.text, etag: known.headers.get('etag') }).toEqual({
        status: 304,
        text: '',
        etag,
      });
    }
    const head = await fetch(holdfast.server.url + path, { method: 'HEAD' });
    expect(head.headers.get('content-length')).toBe(String(Buffer.byteLength(first.text)));
  });

  it('is the same however it is asked for, and kept once', async () => {
    const whole = await speak(holdfast.server.url, Buffer.from(get('http://anybody.example/openapi.json')));
    expect(whole.headers.get('etag')).toBe((await read('/openapi.json')).headers.get('etag'));
  });

  it('that is not there is not kept', async () => {
    for (let n = 0; n < 2; n++) expectProblem(await read('/docs/LICENSE'), 404, 'NOT_FOUND');
  });
});

describe('The metrics', () => {
  it('are made once a second at most', async () => {
    const texts = await Promise.all(Array.from({ length: 10 }, async () => (await read('/metrics')).text));
    expect(new Set(texts).size).toBeLessThanOrEqual(2);
    await waitFor(async () => !texts.includes((await read('/metrics')).text));
  });
});

describe('What anyone may read', () => {
  it('is given to an address so often a minute; health always, and others as well', async () => {
    const connection = new Connection(holdfast.server.url, { localAddress: newAddress() });
    const paths = ['/docs', '/docs/', '/docs/index.html', '/verify-email', '/reset-password', '/account-pages.js'];
    for (let asked = 0; asked < PER_MINUTE; asked += paths.length) {
      connection.write(paths.map(get).join(''));
      await waitFor(() => connection.count('HTTP/1.1 200 OK') === asked + 6, { interval: 1 });
    }
    connection.write(get('/metrics') + get('/docs/swagger-ui.css') + get('/health/ready'));
    await waitFor(() => connection.count('"status":"ready"') === 1);
    expect(connection.count('HTTP/1.1 429 ')).toBe(2);
    expect(connection.count('RATE_LIMIT_EXCEEDED')).toBe(2);
    expect(connection.received.toLowerCase()).toMatch(/ratelimit-policy: "publicreads";q=300;w=60/);
    connection.end();
    expect((await read('/docs')).status).toBe(200);
  });
});

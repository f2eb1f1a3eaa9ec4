import type { LookupAddress } from 'node:dns';
import { isIP, type Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Test } from '@nestjs/testing';
import { ConfigModule, loadConfig } from '../../src/config/index.js';
import {
  HTTP_NETWORK,
  HttpAbortedError,
  HttpAddressRefusedError,
  type HttpAnswer,
  HttpClient,
  HttpClientError,
  HttpClientModule,
  HttpConnectionLostError,
  type HttpNetwork,
  type HttpRequest,
  HttpRequestInvalidError,
  HttpResponseTooLargeError,
  HttpTimeoutError,
  HttpUnreachableError,
} from '../../src/platform/http-client/index.js';
import { JsonLogger } from '../../src/platform/logging/index.js';
import { Metrics, MetricsModule } from '../../src/platform/metrics/index.js';
import { CERTIFICATE, CERTIFICATE_HOST, CERTIFICATE_KEY } from '../support/certificate.js';
import { freePort } from '../support/free-port.js';
import { Scrape } from '../support/metrics.js';
import { rawAnswer, ScriptedHttp } from '../support/scripted-http.js';
import { waitFor } from '../support/wait-for.js';

const cleanUps: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).toReversed()) await cleanUp();
});

async function startServer(...parameters: Parameters<typeof ScriptedHttp.start>): Promise<ScriptedHttp> {
  const server = await ScriptedHttp.start(...parameters);
  cleanUps.push(() => server.stop());
  return server;
}

interface ClientOptions {
  env?: Record<string, string>;
  network?: Partial<HttpNetwork>;
}

/** A client for whom every name is 127.0.0.1 unless told. */
async function startClient({ env = {}, network = {} }: ClientOptions = {}) {
  const log: string[] = [];
  const config = loadConfig({ ENCRYPTION_KEY: 'a'.repeat(64), JWT_SECRET: 'a'.repeat(64), ...env });
  const module = await Test.createTestingModule({
    imports: [ConfigModule.forRoot(config), MetricsModule, HttpClientModule],
  })
    .overrideProvider(HTTP_NETWORK)
    .useValue({ resolve: addresses('127.0.0.1'), ...network })
    .setLogger(new JsonLogger('trace', { write: (line: string) => void log.push(line) }))
    .compile();
  await module.init();
  cleanUps.push(() => module.close());
  const client = module.get(HttpClient);
  return {
    log,
    metrics: module.get(Metrics),
    close: () => module.close(),
    send: (url: string, request: Partial<HttpRequest> = {}): Promise<HttpAnswer> =>
      client.request({
        purpose: 'test',
        method: 'GET',
        url,
        timeoutMs: 30_000,
        maxResponseBytes: 1000,
        target: 'any',
        ...request,
      }),
  };
}

/** A resolver that answers with the lists given, one after the other, and with the last from then on. */
function addresses(...answers: (string | string[])[]): HttpNetwork['resolve'] {
  let asked = 0;
  return async () => {
    const answer = answers[Math.min(asked++, answers.length - 1)] ?? [];
    return [answer].flat().map((address): LookupAddress => ({ address, family: isIP(address) }));
  };
}

async function failureOf(request: Promise<unknown>): Promise<HttpClientError> {
  try {
    await request;
  } catch (error) {
    if (error instanceof HttpClientError) return error;
    throw error;
  }
  throw new Error('It did not fail');
}

const answering =
  (...parameters: Parameters<typeof rawAnswer>) =>
  (socket: Socket): unknown =>
    socket.write(rawAnswer(...parameters));
const silent = (): void => undefined;
/** Bytes that never end an answer, one every few milliseconds. */
const dripping = (start: string, drop: string) => (socket: Socket) => {
  socket.write(start);
  const drops = setInterval(() => socket.write(drop), 5);
  socket.on('close', () => clearInterval(drops));
};
/** After an answer its connection is free at the next turn of the event loop. */
const connectionIsFree = () => setImmediate();
const nobodyIsConnected = (server: ScriptedHttp) => waitFor(() => server.sockets.size === 0);

describe('a request', () => {
  it('is sent as it is said, and its answer given back whole', async () => {
    const server = await startServer(
      answering('grüß dich', { status: '201 Created', headers: 'X-A: 1\r\nX-A: 2\r\n' }),
    );
    const { send } = await startClient();
    const answer = await send(`${server.url}/a%20b?c=d%0D%0Ae&ü#fragment`, {
      method: 'POST',
      headers: { 'X-Secret': 'sésame', 'content-type': 'text/plain' },
      body: 'ünïcode',
    });
    expect(answer).toEqual({
      status: 201,
      headers: { 'content-length': '11', 'x-a': '1, 2' },
      body: Buffer.from('grüß dich'),
      truncated: false,
      address: '127.0.0.1',
    });
    const [head = '', body] = server.requests[0]!.split('\r\n\r\n');
    expect(head.split('\r\n')).toEqual([
      'POST /a%20b?c=d%0D%0Ae&%C3%BC HTTP/1.1',
      `host: 127.0.0.1:${server.port}`,
      'connection: keep-alive',
      'X-Secret: sésame',
      'content-type: text/plain',
      'content-length: 9',
    ]);
    expect(Buffer.from(body!, 'latin1').toString()).toBe('ünïcode');
  });

  it('may have bytes as its body, and none', async () => {
    const server = await startServer(answering(''));
    const { send } = await startClient();
    await send(server.url, { method: 'PUT', body: Buffer.from([0, 255, 13, 10]) });
    await send(server.url, { method: 'POST' });
    await send(server.url, { method: 'DELETE' });
    expect(server.requests.map((request) => request.split('\r\n\r\n')[1])).toEqual(['\0\xff\r\n', '', '']);
  });

  it.each(['301 Moved Permanently', '302 Found', '307 Temporary Redirect', '308 Permanent Redirect'])(
    'is never sent on: %s is the answer',
    async (status) => {
      const elsewhere = await startServer(answering('elsewhere'));
      const server = await startServer(answering('go', { status, headers: `Location: ${elsewhere.url}\r\n` }));
      const { send } = await startClient();
      const answer = await send(server.url, { method: 'POST', body: 'x' });
      expect([answer.status, answer.headers['location']]).toEqual([Number.parseInt(status, 10), elsewhere.url]);
      expect([server.requests.length, elsewhere.connections]).toEqual([1, 0]);
    },
  );

  it('has its answer after those that only announce one', async () => {
    const server = await startServer((socket) =>
      socket.write(`HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nX-Hint: 1\r\n\r\n${rawAnswer('now')}`),
    );
    const { send } = await startClient();
    expect(await send(server.url)).toMatchObject({ status: 200, headers: { 'content-length': '3' } });
  });

  it('is counted with its purpose and how it ended', async () => {
    const server = await startServer(answering('', { status: '503 Busy' }));
    const { send, metrics } = await startClient();
    await send(server.url, { purpose: 'paystack' });
    await failureOf(send(`http://127.0.0.1:${await freePort()}`, { purpose: 'delivery' }));
    const scrape = new Scrape(await metrics.render());
    const count = (purpose: string, outcome: string) =>
      scrape.value('holdfast_http_client_request_seconds_count', { purpose, outcome });
    expect([count('paystack', '5xx'), count('delivery', 'unreachable')]).toEqual([1, 1]);
  });

  it.each<[string, Partial<HttpRequest>]>([
    ['ftp://127.0.0.1/', {}],
    ['file:///etc/passwd', {}],
    ['/path', {}],
    ['127.0.0.1', {}],
    ['http://', {}],
    ['http://999.1.1.1/', {}],
    ['http://[::1%25lo]/', {}],
    ['http://user@SERVER/', {}],
    ['http://user:secret@SERVER/', {}],
    ['http://SERVER/', { headers: { 'X-A\r\nX-B': '1' } }],
    ['http://SERVER/', { headers: { 'X A': '1' } }],
    ['http://SERVER/', { headers: { '': '1' } }],
    ['http://SERVER/', { headers: { 'X-A': '1\r\nX-B: 2' } }],
    ['http://SERVER/', { headers: { 'X-A': '1\n' } }],
    ['http://SERVER/', { headers: { 'X-A': '\0' } }],
    ['http://SERVER/', { headers: { 'X-A': 'ሴ' } }],
    ['http://SERVER/', { headers: { 'X-A': '嘊X-B: 2' } }],
    ...['Host', 'content-length', 'Transfer-Encoding', 'connection', 'Expect', 'upgrade', 'TE', 'Keep-Alive'].map(
      (name): [string, Partial<HttpRequest>] => ['http://SERVER/', { headers: { [name]: '1' } }],
    ),
    ['http://SERVER/', { method: 'CONNECT' as 'GET' }],
    ['http://SERVER/', { method: 'GET / HTTP/1.1\r\nX-A: 1\r\n\r\nGET' as 'GET' }],
  ])('to %s with %j is refused and not sent', async (url, request) => {
    const server = await startServer(answering(''));
    const { send } = await startClient();
    const error = await failureOf(send(url.replace('SERVER', `127.0.0.1:${server.port}`), request));
    expect(error).toBeInstanceOf(HttpRequestInvalidError);
    expect(error.mayHaveReached).toBe(false);
    expect(error.message).not.toContain('secret');
    expect(server.connections).toBe(0);
  });

  it('of any kind that is refused costs the pool nothing', async () => {
    const server = await startServer(answering(''));
    const { send } = await startClient();
    for (let n = 0; n < 70; n++) await failureOf(send(server.url, { headers: { expect: '100-continue' } }));
    expect((await send(server.url)).status).toBe(200);
  });
});

describe('connections', () => {
  it('are used again', async () => {
    const server = await startServer(answering('x'));
    const { send } = await startClient();
    for (let n = 0; n < 5; n++) {
      await send(server.url);
      await connectionIsFree();
    }
    expect([server.requests.length, server.connections]).toEqual([5, 1]);
  });

  it('to one origin are 32 at most; what is more waits', async () => {
    const server = await startServer((socket, count) => {
      if (count > 32) socket.write(rawAnswer('late'));
    });
    const { send } = await startClient();
    const answers = Array.from({ length: 40 }, () => send(server.url));
    await waitFor(() => server.requests.length === 32);
    expect(server.connections).toBe(32);
    for (const socket of server.sockets) socket.write(rawAnswer('early'));
    const bodies = (await Promise.all(answers)).map(({ body }) => String(body));
    expect(bodies.filter((body) => body === 'early')).toHaveLength(32);
    expect([server.requests.length, server.connections]).toEqual([40, 32]);
  });

  it('that the server closed while nobody used them are not', async () => {
    const server = await startServer(answering('x'));
    const { send } = await startClient();
    await send(server.url);
    for (const socket of server.sockets) socket.end();
    await nobodyIsConnected(server);
    expect((await send(server.url, { method: 'POST' })).status).toBe(200);
    expect([server.requests.length, server.connections]).toEqual([2, 2]);
  });

  it('end with the process, and what is under way on them fails', async () => {
    const server = await startServer(silent);
    const { send, close } = await startClient();
    const sent = failureOf(send(server.url));
    await waitFor(() => server.requests.length === 1);
    await close();
    expect(await sent).toBeInstanceOf(HttpAbortedError);
    expect((await sent).mayHaveReached).toBe(true);
    await nobodyIsConnected(server);
    const late = await failureOf(send(server.url));
    expect([late.failure, late.mayHaveReached]).toEqual(['aborted', false]);
    expect(server.connections).toBe(1);
  });
});

describe('the deadline', () => {
  it.each([
    ['a server that is silent', silent],
    ['a head that drips', dripping('HTTP/1.1 200 OK\r\n', 'X-A: b\r\n')],
    ['announcements without end', dripping('', 'HTTP/1.1 102 Processing\r\n\r\n')],
    ['a body that drips', dripping('HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n', 'x')],
    ['a body in chunks that drips', dripping('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n', '1\r\nx\r\n')],
    ['trailers that drip', dripping('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n', 'X-A: b\r\n')],
  ])('ends %s, and the connection with it', async (_, answer) => {
    const server = await startServer(answer);
    const { send } = await startClient();
    const error = await failureOf(send(server.url, { timeoutMs: 300 }));
    expect(error).toBeInstanceOf(HttpTimeoutError);
    expect(error.mayHaveReached).toBe(true);
    await nobodyIsConnected(server);
    expect([server.requests.length, server.connections]).toEqual([1, 1]);
  });

  it('covers the name', async () => {
    const { send } = await startClient({ network: { resolve: () => new Promise(() => undefined) } });
    const error = await failureOf(send('http://slow.example/', { timeoutMs: 50 }));
    expect([error.failure, error.mayHaveReached]).toEqual(['timeout', false]);
  });

  it('covers the TLS handshake', async () => {
    const server = await startServer(silent);
    const { send } = await startClient();
    const error = await failureOf(send(`https://127.0.0.1:${server.port}/`, { timeoutMs: 300 }));
    expect([error.failure, error.mayHaveReached]).toEqual(['timeout', false]);
  });

  it('covers waiting for a connection, and what it ended there is never sent', async () => {
    const server = await startServer(silent);
    const { send } = await startClient();
    const held = Array.from({ length: 32 }, () => send(`${server.url}/held`));
    await waitFor(() => server.requests.length === 32);
    const error = await failureOf(send(`${server.url}/late`, { timeoutMs: 50 }));
    expect([error.failure, error.mayHaveReached]).toEqual(['timeout', false]);
    for (const socket of server.sockets) socket.write(rawAnswer(''));
    await Promise.all(held);
    const after = send(`${server.url}/after`);
    await waitFor(() => server.requests.length === 33);
    for (const socket of server.sockets) socket.write(rawAnswer(''));
    await after;
    expect(server.requests.filter((request) => request.startsWith('GET /late'))).toEqual([]);
  });
});

describe('a signal', () => {
  it('that was given before keeps the request from being sent', async () => {
    const server = await startServer(answering(''));
    const { send } = await startClient();
    const error = await failureOf(send(server.url, { signal: AbortSignal.abort() }));
    expect(error).toBeInstanceOf(HttpAbortedError);
    expect(error.mayHaveReached).toBe(false);
    await send(server.url);
    expect([server.requests.length, server.connections]).toEqual([1, 1]);
  });

  it('breaks the request off', async () => {
    const server = await startServer(silent);
    const { send } = await startClient();
    const abort = new AbortController();
    const error = failureOf(send(server.url, { signal: abort.signal }));
    await waitFor(() => server.requests.length === 1);
    abort.abort(new Error('enough'));
    expect(await error).toMatchObject({ failure: 'aborted', mayHaveReached: true, cause: new Error('enough') });
    await nobodyIsConnected(server);
  });

  it('that comes after the answer does no harm to the next on the connection', async () => {
    const server = await startServer((socket, count) => {
      if (count === 1) socket.write(rawAnswer('first'));
    });
    const { send } = await startClient();
    const abort = new AbortController();
    await send(server.url, { signal: abort.signal });
    await connectionIsFree();
    const second = send(server.url);
    await waitFor(() => server.requests.length === 2);
    abort.abort();
    for (const socket of server.sockets) socket.write(rawAnswer('second'));
    expect(String((await second).body)).toBe('second');
    expect(server.connections).toBe(1);
  });
});

describe('an answer', () => {
  const chunked = (socket: Socket) => {
    socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
    for (const word of ['abcd', 'efgh', 'ijkl']) socket.write(`4\r\n${word}\r\n`);
    socket.write('0\r\n\r\n');
  };

  it.each([
    ['with a length', answering('abcdefghijkl')],
    ['in chunks', chunked],
  ])('%s may have as many bytes as are taken', async (_, answer) => {
    const server = await startServer(answer);
    const { send } = await startClient();
    for (const whenTooLarge of ['fail', 'truncate'] as const) {
      const { body, truncated } = await send(server.url, { maxResponseBytes: 12, whenTooLarge });
      expect([String(body), truncated]).toEqual(['abcdefghijkl', false]);
      await connectionIsFree();
    }
    expect(server.connections).toBe(1);
  });

  it.each([
    ['with a length', answering('abcdefghijkl')],
    ['in chunks', chunked],
    ['without an end', dripping('HTTP/1.1 200 OK\r\n\r\n', 'abcdefghijkl')],
  ])('%s that is longer fails, unless its beginning is enough', async (_, answer) => {
    const server = await startServer(answer);
    const { send } = await startClient();
    const error = await failureOf(send(server.url, { maxResponseBytes: 11 }));
    expect(error).toBeInstanceOf(HttpResponseTooLargeError);
    expect(error).toMatchObject({ status: 200, mayHaveReached: true });
    const { status, body, truncated } = await send(server.url, { maxResponseBytes: 11, whenTooLarge: 'truncate' });
    expect([status, String(body), truncated]).toEqual([200, 'abcdefghijk', true]);
    await nobodyIsConnected(server);
    expect([server.requests.length, server.connections]).toEqual([2, 2]);
  });

  it('without a length ends with the connection', async () => {
    const server = await startServer((socket) => socket.end('HTTP/1.0 200 OK\r\n\r\nall of it'));
    const { send } = await startClient();
    const { body, address } = await send(server.url);
    expect([String(body), address]).toEqual(['all of it', '127.0.0.1']);
  });
});

describe('whether a request may have reached the other side', () => {
  it.each(['ENOTFOUND', 'EAI_AGAIN'])('is known when its name is not: %s', async (code) => {
    const resolve = () => Promise.reject(Object.assign(new Error('no such name'), { code }));
    const { send } = await startClient({ network: { resolve } });
    const error = await failureOf(send('http://nowhere.example/'));
    expect(error).toBeInstanceOf(HttpUnreachableError);
    expect(error).toMatchObject({ mayHaveReached: false, reason: code });
  });

  it('is known when nobody listens, however many ask at once', async () => {
    const { send } = await startClient();
    const url = `http://127.0.0.1:${await freePort()}`;
    const errors = await Promise.all(Array.from({ length: 70 }, () => failureOf(send(url))));
    expect(new Set(errors.map((error) => error.mayHaveReached))).toEqual(new Set([false]));
    expect(new Set(errors.map((error) => error.message))).toEqual(
      new Set([`No connection to ${new URL(url).host}: ECONNREFUSED`]),
    );
  });

  it.each<[string, (socket: Socket) => unknown]>([
    ['resets the connection', (socket) => socket.resetAndDestroy()],
    ['closes the connection', (socket) => socket.end()],
    ['answers something else', (socket) => socket.end('SSH-2.0-OpenSSH_9.2\r\n')],
    ['answers garbage', (socket) => socket.end(Buffer.from([0, 1, 2, 255, 13, 10, 13, 10]))],
    ['answers in HTTP/2', (socket) => socket.end(Buffer.from('000006040000000000000400100000', 'hex'))],
    ['ends in the head', (socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Le')],
    ['ends in the body', (socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc')],
    [
      'ends in the body it would close after',
      (socket) => socket.end('HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 10\r\n\r\nabc'),
    ],
    [
      'ends between chunks',
      (socket) => socket.end('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n'),
    ],
    ['says two lengths', (socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab')],
    ['has a head without end', dripping('HTTP/1.1 200 OK\r\n', `X-A: ${'b'.repeat(1000)}\r\n`)],
    [
      'changes to another protocol',
      (socket) => socket.end('HTTP/1.1 101 X\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n'),
    ],
    [
      'is reset in a body without a length',
      (socket) =>
        socket.write('HTTP/1.0 200 OK\r\n\r\nhalf of it', () => setTimeout(() => socket.resetAndDestroy(), 50)),
    ],
  ])('is open when the server %s; it is never sent again', async (_, answer) => {
    const server = await startServer(answer);
    const { send } = await startClient();
    for (const method of ['GET', 'POST'] as const) {
      const error = await failureOf(send(`${server.url}/?token=secret`, { method }));
      expect(error).toBeInstanceOf(HttpConnectionLostError);
      expect(error.mayHaveReached).toBe(true);
      expect(error.message).not.toContain('secret');
    }
    expect(server.requests.map((request) => request.split(' ')[0])).toEqual(['GET', 'POST']);
    expect(server.connections).toBe(2);
  });

  it.each(['GET', 'POST'] as const)(
    'is open when a %s was lost on a connection used before; it is never sent again',
    async (method) => {
      const server = await startServer((socket, count) => {
        if (count === 2) socket.resetAndDestroy();
        else socket.write(rawAnswer('x'));
      });
      const { send } = await startClient();
      await send(server.url);
      await connectionIsFree();
      const error = await failureOf(send(server.url, { method }));
      expect([error.failure, error.mayHaveReached]).toEqual(['connection_lost', true]);
      expect([server.requests.length, server.connections]).toEqual([2, 1]);
      expect((await send(server.url)).status).toBe(200);
      expect(server.requests).toHaveLength(3);
    },
  );
});

describe('TLS', () => {
  const tls = { cert: CERTIFICATE, key: CERTIFICATE_KEY };

  it('is spoken with the host of the URL, whatever its address', async () => {
    const server = await startServer(answering('safe'), { tls });
    const { send } = await startClient({
      env: { WEBHOOK_ALLOWED_PRIVATE_CIDRS: '127.0.0.1' },
      network: { ca: CERTIFICATE },
    });
    const { body, address } = await send(`https://${CERTIFICATE_HOST}:${server.port}/`, { target: 'public' });
    expect([String(body), address]).toEqual(['safe', '127.0.0.1']);
    expect(server.requests[0]).toContain(`host: ${CERTIFICATE_HOST}:${server.port}\r\n`);
  });

  it.each([
    ['nobody vouches for', CERTIFICATE_HOST, undefined, 'DEPTH_ZERO_SELF_SIGNED_CERT'],
    ['is for another name', 'other.example.test', CERTIFICATE, 'ERR_TLS_CERT_ALTNAME_INVALID'],
    ['is for a name where there is an address', '127.0.0.1', CERTIFICATE, 'ERR_TLS_CERT_ALTNAME_INVALID'],
  ])('with a certificate that %s sends nothing', async (_, host, ca, reason) => {
    const server = await startServer(answering('mine'), { tls });
    const { send } = await startClient({ network: ca === undefined ? {} : { ca } });
    const error = await failureOf(send(`https://${host}:${server.port}/`, { method: 'POST', body: 'secret' }));
    expect(error).toBeInstanceOf(HttpUnreachableError);
    expect(error).toMatchObject({ mayHaveReached: false, reason });
    expect(server.requests).toEqual([]);
  });

  it('is not spoken with a server that speaks none', async () => {
    const server = await startServer(silent);
    const { send } = await startClient();
    const failure = failureOf(send(`https://127.0.0.1:${server.port}/`));
    await waitFor(() => server.sockets.size === 1);
    for (const socket of server.sockets) socket.write('what?');
    expect(await failure).toMatchObject({ failure: 'unreachable', mayHaveReached: false });
  });
});

describe('a public target', () => {
  it.each([
    'localhost',
    'LOCALHOST.',
    '127.0.0.1',
    '127.1',
    '0x7f.1',
    '0177.0.0.1',
    '2130706433',
    '0x7f000001',
    '017700000001',
    '%31%32%37.0.0.1',
    '①②⑦.0.0.1',
    '127。0。0。1',
    '127.0.0.1.',
    '0.0.0.0',
    '0',
    '[::1]',
    '[::]',
    '[::ffff:127.0.0.1]',
    '[0:0:0:0:0:ffff:7f00:1]',
    '[::127.0.0.1]',
    '[64:ff9b::7f00:1]',
    '169.254.169.254',
    '2852039166',
    '[fd00:ec2::254]',
    '10.0.0.1',
  ])('is never reached at %s', async (host) => {
    const server = await startServer(answering('inside'));
    const { send } = await startClient();
    const error = await failureOf(send(`http://${host}:${server.port}/`, { target: 'public' }));
    expect(error).toBeInstanceOf(HttpAddressRefusedError);
    expect([error.mayHaveReached, server.connections]).toEqual([false, 0]);
  });

  it('of several addresses must have none that is not public', async () => {
    const server = await startServer(answering('inside'));
    for (const answer of [
      ['8.8.8.8', '127.0.0.1'],
      ['127.0.0.1', '8.8.8.8'],
      ['2001:4860:4860::8888', '::1'],
    ]) {
      const { send } = await startClient({ network: { resolve: addresses(answer) } });
      const error = await failureOf(send(`http://both.example:${server.port}/`, { target: 'public' }));
      expect(error).toBeInstanceOf(HttpAddressRefusedError);
      expect(error).toMatchObject({ address: expect.stringMatching(/^(127.0.0.1|::1)$/) });
      expect(error.message).toBe(`both.example is not at a public address`);
    }
    expect(server.connections).toBe(0);
  });

  it('is asked for its address once a connection, and judged each time: rebinding leads nowhere', async () => {
    // 127.0.0.2 stands in for an address of the internet.
    const outside = await startServer((socket) => socket.end(rawAnswer('outside')), { host: '127.0.0.2' });
    const inside = await startServer(answering('inside'), { port: outside.port });
    let asked = 0;
    const rebinding = addresses('127.0.0.2', '127.0.0.1');
    const resolve: HttpNetwork['resolve'] = (host) => {
      asked++;
      return rebinding(host);
    };
    const { send } = await startClient({ env: { WEBHOOK_ALLOWED_PRIVATE_CIDRS: '127.0.0.2' }, network: { resolve } });
    const url = `http://rebinding.example:${outside.port}/`;
    const { body, address } = await send(url, { target: 'public' });
    expect([String(body), address]).toEqual(['outside', '127.0.0.2']);
    expect([asked, outside.connections]).toEqual([1, 1]);
    await nobodyIsConnected(outside);
    expect(await failureOf(send(url, { target: 'public' }))).toBeInstanceOf(HttpAddressRefusedError);
    expect([asked, outside.connections, inside.connections]).toEqual([2, 1, 0]);
  });

  it('never gets a connection that was opened to any target', async () => {
    const server = await startServer(answering('inside'));
    const { send } = await startClient();
    for (const host of ['127.0.0.1', 'name.example']) {
      const url = `http://${host}:${server.port}/`;
      expect((await send(url)).status).toBe(200);
      expect(await failureOf(send(url, { target: 'public' }))).toBeInstanceOf(HttpAddressRefusedError);
    }
    expect([server.requests.length, server.connections]).toEqual([2, 2]);
  });

  it('that was refused many times is refused again, and others are reached', async () => {
    const server = await startServer(answering('inside'));
    const { send } = await startClient({ env: { WEBHOOK_ALLOWED_PRIVATE_CIDRS: '127.0.0.1' } });
    for (let n = 0; n < 70; n++) await failureOf(send('http://10.0.0.1/', { target: 'public' }));
    expect(await failureOf(send('http://10.0.0.1/', { target: 'public' }))).toBeInstanceOf(HttpAddressRefusedError);
    expect((await send(server.url, { target: 'public' })).status).toBe(200);
  });

  it.each<[Record<string, string>]>([
    [{ WEBHOOK_ALLOW_PRIVATE_TARGETS: 'true' }],
    [{ WEBHOOK_ALLOWED_PRIVATE_CIDRS: '10.0.0.0/8, 127.0.0.0/8' }],
  ])('may be on this machine with %j', async (env) => {
    const server = await startServer(answering('inside'));
    const { send } = await startClient({ env });
    expect((await send(server.url, { target: 'public' })).status).toBe(200);
    expect((await send(`http://localhost:${server.port}`, { target: 'public' })).status).toBe(200);
    const metadata = await failureOf(send('http://169.254.169.254/latest/meta-data/', { target: 'public' }));
    expect(metadata).toBeInstanceOf(HttpAddressRefusedError);
  });

  const production = { NODE_ENV: 'production', DATABASE_URL: 'postgres://127.0.0.1/holdfast' };

  it.each<[string, Record<string, string>, number]>([
    ['in production with the switch', { ...production, WEBHOOK_ALLOW_PRIVATE_TARGETS: 'true' }, 1],
    ['in production without it', { ...production, WEBHOOK_ALLOWED_PRIVATE_CIDRS: '10.0.0.0/8' }, 0],
    ['outside production', { WEBHOOK_ALLOW_PRIVATE_TARGETS: 'true' }, 0],
  ])('is warned of %s: %j', async (_, env, warnings) => {
    const { log } = await startClient({ env });
    expect(log.filter((line) => line.includes('WEBHOOK_ALLOW_PRIVATE_TARGETS'))).toHaveLength(warnings);
  });
});

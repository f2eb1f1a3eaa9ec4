import { networkInterfaces } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { connect, type Socket } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { type Answer, expectProblem } from '../support/http-answer.js';
import { Scrape } from '../support/metrics.js';
import { chunked, rawRequest, speak } from '../support/raw-http.js';
import { serverUnderTest } from '../support/server-under-test.js';
import { SECRETS, signers } from '../support/signing.js';
import { waitFor } from '../support/wait-for.js';
import { bytesOf, newEventId, stripeEvent, unixNow, WebhookSender } from '../support/webhook-sender.js';

const MEBIBYTE = 1024 * 1024;

/** Reached by its senders without a proxy. */
const direct = serverUnderTest();
/** Behind a proxy on this machine. */
const proxied = serverUnderTest({ env: { TRUSTED_PROXIES: '127.0.0.1/32' } });

type Headers = [name: string, value: string][];

/** The headers of a signed Stripe webhook but for those that tell its length. */
function stripeHeaders(body: Buffer): Headers {
  const parts = { secret: SECRETS.stripe, timestamp: unixNow(), id: '', type: '' };
  return [...Object.entries(signers.stripe(body, parts)), ['Content-Type', 'application/json']];
}

/** A Stripe event of exactly so many bytes. */
function eventOfSize(bytes: number): Buffer {
  const event = { ...stripeEvent(), padding: '' };
  return bytesOf({ ...event, padding: 'x'.repeat(bytes - bytesOf(event).length) });
}

const withLength = (body: Buffer) =>
  rawRequest('POST /webhooks/stripe', [...stripeHeaders(body), ['Content-Length', String(body.length)]], body);
const inChunks = (body: Buffer) =>
  rawRequest(
    'POST /webhooks/stripe',
    [...stripeHeaders(body), ['Transfer-Encoding', 'chunked']],
    chunked(body, 16_000),
  );

describe('The body limit of 1 MiB', () => {
  it.each([
    ['with a Content-Length', withLength],
    ['in chunks', inChunks],
  ])('takes in exactly 1 MiB %s, and keeps every byte', async (_, request) => {
    const body = eventOfSize(MEBIBYTE);
    const answer = await speak(direct.server.url, request(body));
    expect(answer).toMatchObject({ status: 200, body: { status: 'accepted' } });
    const rows = await direct.sql('SELECT 1 FROM webhook_events WHERE id = $1 AND raw_body = $2', [
      answer.body['id'],
      body,
    ]);
    expect(rows).toHaveLength(1);
  });

  it.each([
    ['with a Content-Length', withLength],
    ['in chunks', inChunks],
  ])('refuses one byte more %s', async (_, request) => {
    const body = eventOfSize(MEBIBYTE + 1);
    expectProblem(await speak(direct.server.url, request(body)), 413, 'PAYLOAD_TOO_LARGE');
    expect(await direct.sql('SELECT 1 FROM webhook_events WHERE raw_body = $1', [body])).toEqual([]);
  });

  it('refuses by the Content-Length alone, before the body is there', async () => {
    const headers: Headers = [...stripeHeaders(Buffer.alloc(0)), ['Content-Length', String(MEBIBYTE + 1)]];
    expectProblem(
      await speak(direct.server.url, rawRequest('POST /webhooks/stripe', headers)),
      413,
      'PAYLOAD_TOO_LARGE',
    );
  });

  it('stops reading an endless body soon after the limit', async () => {
    const chunk = chunked(Buffer.alloc(65_536, 0x20), 65_536).subarray(0, -5);
    let sent = 0;
    const answer = await speak(direct.server.url, (socket) => {
      socket.write(rawRequest('POST /webhooks/stripe', [...stripeHeaders(chunk), ['Transfer-Encoding', 'chunked']]));
      const more = () => {
        while (!socket.destroyed && socket.write(chunk)) sent += chunk.length;
      };
      socket.on('drain', more);
      more();
    });
    expectProblem(answer, 413, 'PAYLOAD_TOO_LARGE');
    // What the kernel's buffers hold counts as sent.
    expect(sent).toBeLessThan(16 * MEBIBYTE);
  });

  it('lets an ordinary HTTP client read the refusal', async () => {
    const body = eventOfSize(2 * MEBIBYTE);
    expectProblem(await direct.sender.stripe(body), 413, 'PAYLOAD_TOO_LARGE');
  });

  it('is 256 KiB for the API', async () => {
    const body = (bytes: number) => `{"name":"${'x'.repeat(bytes - 11)}"}`;
    const post = (bytes: number) => direct.call('POST', '/api/webhook-sources', body(bytes));
    expectProblem(await post(256 * 1024), 400, 'VALIDATION_FAILED');
    expectProblem(await post(256 * 1024 + 1), 413, 'PAYLOAD_TOO_LARGE');
  });
});

describe('A request that is not what it says', () => {
  it('is taken in without a Content-Type: the body is JSON all the same', async () => {
    const body = bytesOf(stripeEvent());
    const headers: Headers = [...stripeHeaders(body).slice(0, 1), ['Content-Length', String(body.length)]];
    const answer = await speak(direct.server.url, rawRequest('POST /webhooks/stripe', headers, body));
    expect(answer).toMatchObject({ status: 200, body: { status: 'accepted' } });
  });

  it('is taken in when it waits for "100 Continue"', async () => {
    const body = bytesOf(stripeEvent());
    let first = '';
    const answer = await speak(direct.server.url, (socket) => {
      socket.once('data', (data) => {
        first = data.toString();
        socket.write(body);
      });
      socket.write(
        rawRequest('POST /webhooks/stripe', [
          ...stripeHeaders(body),
          ['Content-Length', String(body.length)],
          ['Expect', '100-continue'],
        ]),
      );
    });
    expect(first).toMatch(/^HTTP\/1\.1 100 Continue/);
    expect(answer).toMatchObject({ status: 200, body: { status: 'accepted' } });
  });

  it('leaves nothing behind when its sender goes away in the middle of the body', async () => {
    const body = bytesOf(stripeEvent());
    const request = withLength(body);
    const cutOff = speak(direct.server.url, (socket: Socket) => {
      socket.write(request.subarray(0, -10), () => socket.end());
    }).catch((error: Error) => error.message);
    await cutOff;
    expect(await direct.sql('SELECT 1 FROM webhook_events WHERE raw_body = $1', [body])).toEqual([]);
    expect((await direct.sender.stripe(body)).body).toMatchObject({ status: 'accepted' });
  });
});

describe('A slow sender', () => {
  const impatient = serverUnderTest({ env: { REQUEST_TIMEOUT_MS: '1000' } });
  const TRICKLE_MS = 100;

  it.each([
    ['stops in the middle of the body', (request: Buffer) => request.subarray(0, -10)],
    ['stops in the middle of the headers', (request: Buffer) => request.subarray(0, 60)],
    ['stops in the middle of the first line', (request: Buffer) => request.subarray(0, 8)],
  ])('is answered 408 when it %s, while others are served', async (_, part) => {
    const slow = speak(impatient.server.url, part(withLength(bytesOf(stripeEvent()))));
    const isAnswered = () => Promise.race([slow.then(() => true), delay(TRICKLE_MS, false)]);
    const others: Answer[] = [];
    do others.push(await impatient.sender.stripe(stripeEvent()));
    while (!(await isAnswered()));
    const answer = await slow;
    expect(answer).toMatchObject({ status: 408, body: { status: 408, code: 'REQUEST_TIMEOUT' } });
    expect(answer.headers.get('content-type')).toBe('application/problem+json; charset=utf-8');
    expect(answer.headers.get('x-request-id')).toBe(answer.body['requestId']);
    expect(others.length).toBeGreaterThan(3);
    expect(new Set(others.map(({ status }) => status))).toEqual(new Set([200]));
  });

  it('is counted, warned about and audited, and keeps no connection whatever he does with his end', async () => {
    const count = async () =>
      (await Scrape.of(impatient.server)).value('holdfast_webhook_rejected_total', {
        source: 'github',
        code: 'REQUEST_TIMEOUT',
      }) ?? 0;
    const half = rawRequest('POST /webhooks/github', [['Content-Length', '5000']], '{');
    const socket = connect({
      port: Number(new URL(impatient.server.url).port),
      host: '127.0.0.1',
      allowHalfOpen: true,
    });
    socket.on('error', () => undefined).resume();
    socket.write(half);
    await impatient.logged({ level: 'warn', msg: 'Webhook refused', source: 'github', code: 'REQUEST_TIMEOUT' });
    expect(await count()).toBe(1);
    const line = await waitFor(async () => {
      const { body } = await impatient.call('GET', '/api/audit?subject=webhook-source:github&action=webhook.rejected');
      return (body['data'] as unknown[])[0];
    });
    expect(line).toMatchObject({ ip: '127.0.0.1', details: { code: 'REQUEST_TIMEOUT', contentLength: '5000' } });
    socket.destroy();
  });

  it('gains no time by sending a byte now and then', async () => {
    const body = bytesOf(stripeEvent());
    const answer = await speak(impatient.server.url, async (socket) => {
      for (const byte of withLength(body)) {
        if (socket.destroyed) return;
        socket.write(Buffer.of(byte));
        await delay(TRICKLE_MS);
      }
    });
    expect(answer.status).toBe(408);
  });
});

describe('An unknown source', () => {
  it.each(['nobody', '__proto__', 'constructor', 'STRIPE', 'stripe%20', 'str%C3%AFpe', 'x'.repeat(500)])(
    'is answered 404: %s',
    async (name) => {
      expectProblem(await direct.sender.stripe(stripeEvent(), { path: `/webhooks/${name}` }), 404, 'NOT_FOUND');
      expectProblem(await direct.sender.stripe(stripeEvent(), { path: `/webhooks/${name}/topic` }), 404, 'NOT_FOUND');
    },
  );

  it('cannot make labels in the metrics', async () => {
    await direct.sender.stripe(stripeEvent(), { path: '/webhooks/made-up-by-a-stranger' });
    const scrape = await Scrape.of(direct.server);
    expect(scrape.value('holdfast_webhook_rejected_total', { source: 'unknown', code: 'NOT_FOUND' })).toBeGreaterThan(
      0,
    );
    expect([...scrape.labelValues('source'), ...scrape.labelValues('route')].join()).not.toContain('made-up');
  });
});

describe("A source's list of addresses", () => {
  const ALLOWED = ['192.0.2.0/24', '198.51.100.7', '2001:db8:1::/48', '::ffff:203.0.113.0/120'];

  /** Sends to a source that only lists `allowedIps`, signed, with an X-Forwarded-For. */
  async function sendFrom(holdfast: typeof direct, forwardedFor: string, allowedIps = ALLOWED): Promise<Answer> {
    const name = newEventId();
    const source = { name, provider: 'stripe', secret: SECRETS.stripe, allowedIps };
    expect((await holdfast.call('POST', '/api/webhook-sources', source)).status).toBe(201);
    return holdfast.sender.stripe(stripeEvent(), {
      path: `/webhooks/${name}`,
      headers: { 'X-Forwarded-For': forwardedFor },
    });
  }

  it.each([
    ['192.0.2.9', '192.0.2.9'],
    ['198.51.100.7', '198.51.100.7'],
    ['2001:db8:1::5', '2001:db8:1::5'],
    ['2001:0DB8:0001:0000::5', '2001:db8:1::5'],
    ['::ffff:192.0.2.9', '192.0.2.9'],
    ['203.0.113.200', '203.0.113.200'],
    ['203.0.113.9, 192.0.2.9', '192.0.2.9'],
    ['192.0.2.9:50001', '192.0.2.9'],
    ['[2001:db8:1::5]:443', '2001:db8:1::5'],
    ['203.0.113.9, [::ffff:192.0.2.9]:443, 127.0.0.1', '192.0.2.9'],
  ])('lets %s through a trusted proxy', async (forwardedFor, address) => {
    const { status, body } = await sendFrom(proxied, forwardedFor);
    expect(status).toBe(200);
    const [row] = await proxied.sql<{ same: boolean }>(
      `SELECT regexp_replace(host(ip_address), '^::ffff:', '') = $2 AS same FROM webhook_events WHERE id = $1`,
      [body['id'], address],
    );
    expect(row?.same).toBe(true);
  });

  it.each([
    '192.0.3.1',
    '198.51.100.8',
    '2001:db8:2::1',
    '::ffff:192.0.3.1',
    '::ffff:c000:301',
    '192.0.2.9, 192.0.3.1',
    '192.0.3.1:50001',
    '192.0.2.9, unknown',
    'unknown',
    '192.0.2',
    '0300.0.2.9',
    '',
  ])('keeps %j out behind a trusted proxy', async (forwardedFor) => {
    expectProblem(await sendFrom(proxied, forwardedFor), 403, 'IP_NOT_ALLOWED');
  });

  it('is not fooled by a forged X-Forwarded-For where no proxy is trusted', async () => {
    expectProblem(await sendFrom(direct, '192.0.2.9'), 403, 'IP_NOT_ALLOWED');
  });

  it('sees the true address where no proxy is trusted, whatever X-Forwarded-For says', async () => {
    const { status, body } = await sendFrom(direct, '203.0.113.1', ['127.0.0.0/8']);
    expect(status).toBe(200);
    const detail = await direct.call('GET', `/api/webhook-events/${String(body['id'])}`);
    expect(detail.body).toMatchObject({ ipAddress: '127.0.0.1' });
  });

  it('is asked before the signature, and a refusal leaves an audit line', async () => {
    const source = { name: 'fenced', provider: 'stripe', secret: SECRETS.stripe, allowedIps: ALLOWED };
    await direct.call('POST', '/api/webhook-sources', source);
    expectProblem(await direct.sender.post('/webhooks/fenced', '{}'), 403, 'IP_NOT_ALLOWED');
    const line = await waitFor(async () => {
      const { body } = await direct.call('GET', '/api/audit?subject=webhook-source:fenced&action=webhook.rejected');
      return (body['data'] as unknown[])[0];
    });
    expect(line).toMatchObject({ ip: '127.0.0.1', details: { code: 'IP_NOT_ALLOWED' } });
  });

  const hasIpv6 = Object.values(networkInterfaces()).some((all) => all?.some(({ address }) => address === '::1'));
  (hasIpv6 ? describe : describe.skip)('on a server that listens on IPv6 and IPv4 at once', () => {
    const dual = serverUnderTest({ env: { HOST: '::' } });

    it('judges an IPv4 sender as IPv4 and an IPv6 sender as IPv6', async () => {
      const port = new URL(dual.server.url).port;
      const [v4, v6] = [new WebhookSender(`http://127.0.0.1:${port}`), new WebhookSender(`http://[::1]:${port}`)];
      for (const [name, allowed] of Object.entries({ v4: '127.0.0.1/32', v6: '::1/128' })) {
        const source = { name, provider: 'stripe', secret: SECRETS.stripe, allowedIps: [allowed] };
        await dual.call('POST', '/api/webhook-sources', source);
      }
      const statusOf = async (sender: WebhookSender, name: string) =>
        (await sender.stripe(stripeEvent(), { path: `/webhooks/${name}` })).status;
      expect([await statusOf(v4, 'v4'), await statusOf(v4, 'v6')]).toEqual([200, 403]);
      expect([await statusOf(v6, 'v4'), await statusOf(v6, 'v6')]).toEqual([403, 200]);
    });
  });
});

describe('The rate limit', () => {
  const gorgias = () => direct.sender.send('gorgias', { webhook_id: newEventId(), event_type: 'ticket-created' });

  it('lets a Gorgias source have 30 requests a minute and tells the 31st when to come back', async () => {
    for (let sent = 1; sent <= 30; sent += 1) {
      const { status, headers } = await gorgias();
      expect(status).toBe(200);
      expect(headers.get('x-ratelimit-limit')).toBe('30');
      expect(headers.get('x-ratelimit-remaining')).toBe(String(30 - sent));
      expect(headers.get('ratelimit-policy')).toBe('"webhooks";q=30;w=60');
      expect(headers.get('ratelimit')).toMatch(new RegExp(`^"webhooks";r=${30 - sent};t=\\d+$`));
    }
    const refused = await gorgias();
    expectProblem(refused, 429, 'RATE_LIMIT_EXCEEDED');
    const { headers, body } = refused;
    const retryAfter = Number(headers.get('retry-after'));
    const resetAt = String(headers.get('x-ratelimit-reset'));
    expect(body['details']).toEqual({ retryAfter, resetAt });
    expect(headers.get('x-ratelimit-remaining')).toBe('0');
    expect(retryAfter).toBeGreaterThanOrEqual(1);
    expect(retryAfter).toBeLessThanOrEqual(60);
    expect(new Date(resetAt).toISOString()).toBe(resetAt);
    expect(Date.now() + retryAfter * 1000).toBeGreaterThanOrEqual(Date.parse(resetAt));
  });

  async function limited(holdfast: typeof direct, rateLimitPerMinute: number | null) {
    const name = newEventId();
    const source = { name, provider: 'stripe', secret: SECRETS.stripe, rateLimitPerMinute };
    expect((await holdfast.call('POST', '/api/webhook-sources', source)).status).toBe(201);
    return async (forwardedFor = '', signed = true) => {
      const options = { path: `/webhooks/${name}`, headers: { 'X-Forwarded-For': forwardedFor } };
      return signed
        ? (await holdfast.sender.stripe(stripeEvent(), options)).status
        : (await holdfast.sender.post(options.path, '{}', options.headers)).status;
    };
  }

  it('is each source’s own and can be set', async () => {
    const [one, other] = [await limited(direct, 2), await limited(direct, 3)];
    expect([await one(), await one(), await one()]).toEqual([200, 200, 429]);
    expect([await other(), await other(), await other(), await other()]).toEqual([200, 200, 200, 429]);
  });

  it('is off at 0', async () => {
    const send = await limited(direct, 0);
    const statuses = await Promise.all(Array.from({ length: 100 }, () => send()));
    expect(new Set(statuses)).toEqual(new Set([200]));
  });

  it('counts what is not signed, too', async () => {
    const send = await limited(direct, 2);
    expect([await send('', false), await send('', false), await send()]).toEqual([401, 401, 429]);
  });

  it('is each address’s own behind a trusted proxy, an IPv6 network counting as one', async () => {
    const send = await limited(proxied, 1);
    expect([await send('192.0.2.1'), await send('192.0.2.1'), await send('192.0.2.2')]).toEqual([200, 429, 200]);
    expect([await send('2001:db8::1'), await send('2001:db8::2'), await send('2001:db8:0:1::1')]).toEqual([
      200, 429, 200,
    ]);
    expect(await send('::ffff:192.0.2.1')).toBe(429);
  });

  it('is not widened by a forged X-Forwarded-For where no proxy is trusted', async () => {
    const send = await limited(direct, 1);
    expect([await send('192.0.2.1'), await send('192.0.2.2')]).toEqual([200, 429]);
  });

  it('changes within a second when the source is changed', async () => {
    const { body } = await direct.call('POST', '/api/webhook-sources', {
      name: 'adjusted',
      provider: 'stripe',
      secret: SECRETS.stripe,
      rateLimitPerMinute: 1,
    });
    const send = async () => (await direct.sender.stripe(stripeEvent(), { path: '/webhooks/adjusted' })).status;
    expect([await send(), await send()]).toEqual([200, 429]);
    await direct.call('PATCH', `/api/webhook-sources/${String(body['name'])}`, { rateLimitPerMinute: 5 });
    expect(await send()).toBe(200);
  });

  it('has its count among the metrics', async () => {
    const send = await limited(direct, 1);
    const count = async () =>
      (await Scrape.of(direct.server)).value('holdfast_rate_limited_total', { policy: 'webhooks' });
    const before = (await count()) ?? 0;
    await send();
    await send();
    expect(await count()).toBe(before + 1);
  });
});

import { describe, expect, it } from '@jest/globals';
import { type Answer, expectProblem } from '../support/http-answer.js';
import { Scrape } from '../support/metrics.js';
import { chunked, rawRequest, speak } from '../support/raw-http.js';
import { serverUnderTest } from '../support/server-under-test.js';
import { SECRETS } from '../support/signing.js';
import { waitFor } from '../support/wait-for.js';
import { bytesOf, newEventId, stripeEvent, type WebhookBody } from '../support/webhook-sender.js';

const MEBIBYTE = 1024 * 1024;

const holdfast = serverUnderTest();

/** A push of exactly so many bytes. */
function pushOfSize(bytes: number, filling = 'x'): Buffer {
  const push = { ref: 'refs/heads/main', padding: '' };
  return bytesOf({ ...push, padding: filling.repeat((bytes - bytesOf(push).length) / Buffer.byteLength(filling)) });
}

async function newSource(settings: object = {}): Promise<string> {
  const name = newEventId();
  const source = { name, provider: 'stripe', secret: SECRETS.stripe, ...settings };
  expect((await holdfast.call('POST', '/api/webhook-sources', source)).status).toBe(201);
  return name;
}

const send = (name: string, body: WebhookBody) => holdfast.sender.stripe(body, { path: `/webhooks/${name}` });
const post = (name: string, headers: [string, string][], body: Buffer | string = '') =>
  rawRequest(`POST /webhooks/${name}`, headers, body);
/** A server that answers before it has read all closes, and the sender may lose the answer to that (RFC 9112, 9.6): it sends again. */
const untilAnswered = (sending: () => Promise<Answer>) => waitFor(sending, { what: 'an answer that is not lost' });
/** A body's first part, and then the sender's end of the connection. */
const cutOff = (name: string) =>
  speak(holdfast.server.url, (socket) => socket.end(post(name, [['Content-Length', '5000']], '{'))).then(() => null);

describe('A webhook of GitHub', () => {
  it.each([
    ['in ASCII', 'x'],
    ['in other letters', 'ä'],
  ])('may have 25 MiB, as GitHub sends them, and is kept byte for byte: %s', async (_, filling) => {
    const body = pushOfSize(25 * MEBIBYTE, filling);
    const answer = await holdfast.sender.send('github', body, { type: 'push' });
    expect(answer).toMatchObject({ status: 200, body: { status: 'accepted' } });
    const id = answer.body['id'];
    expect(await holdfast.sql('SELECT FROM webhook_events WHERE id = $1 AND raw_body = $2', [id, body])).toHaveLength(
      1,
    );
    const shown = (await holdfast.call('GET', `/api/webhook-events/${String(id)}`)).body['payload'];
    expect(shown).toEqual(JSON.parse(body.toString()));
  });

  it('may not have one byte more', async () => {
    const tooLarge = pushOfSize(25 * MEBIBYTE + 1);
    const answer = await untilAnswered(() => holdfast.sender.send('github', tooLarge, { type: 'push' }));
    expectProblem(answer, 413, 'PAYLOAD_TOO_LARGE');
    expect(answer.body['details']).toEqual({ limitBytes: 25 * MEBIBYTE });
  });
});

describe("A source's own limit", () => {
  it('holds in place of the usual one, below it and above, from the next request on', async () => {
    const name = await newSource({ bodyLimitBytes: 2048 });
    const ofSize = (bytes: number) => bytesOf({ ...stripeEvent(), padding: 'x'.repeat(bytes - 150) });
    expect((await send(name, ofSize(2000))).status).toBe(200);
    expectProblem(await send(name, ofSize(2500)), 413, 'PAYLOAD_TOO_LARGE');
    expect(
      (await holdfast.call('PATCH', `/api/webhook-sources/${name}`, { bodyLimitBytes: 3 * MEBIBYTE })).status,
    ).toBe(200);
    expect((await send(name, ofSize(2 * MEBIBYTE))).status).toBe(200);
    expect((await holdfast.call('PATCH', `/api/webhook-sources/${name}`, { bodyLimitBytes: null })).status).toBe(200);
    expectProblem(await untilAnswered(() => send(name, ofSize(2 * MEBIBYTE))), 413, 'PAYLOAD_TOO_LARGE');
  });

  it('of GitHub, too', async () => {
    const name = await newSource({ provider: 'github', secret: SECRETS.github, bodyLimitBytes: 1024 });
    const options = { path: `/webhooks/${name}`, type: 'push' };
    expectProblem(await holdfast.sender.send('github', pushOfSize(1025), options), 413, 'PAYLOAD_TOO_LARGE');
  });
});

describe('A webhook that is refused before all of it is here', () => {
  const rejected = async (source: string, code: string) =>
    (await Scrape.of(holdfast.server)).value('holdfast_webhook_rejected_total', { source, code }) ?? 0;
  const ways: [string, string, (name: string) => Promise<Answer | null>][] = [
    ['PAYLOAD_TOO_LARGE', 'by its length', (name) => send(name, pushOfSize(MEBIBYTE + 1))],
    [
      'PAYLOAD_TOO_LARGE',
      'in chunks',
      (name) =>
        speak(
          holdfast.server.url,
          post(name, [['Transfer-Encoding', 'chunked']], chunked(pushOfSize(MEBIBYTE + 1), 60_000)),
        ),
    ],
    [
      'UNSUPPORTED_MEDIA_TYPE',
      'for a content type that is none',
      (name) => holdfast.sender.post(`/webhooks/${name}`, '{}', { 'content-type': '///' }),
    ],
    ['REQUEST_ABORTED', 'because its sender is gone', cutOff],
  ];

  it.each(ways)('is counted, warned about and audited: %s, %s', async (code, _, refused) => {
    const name = await newSource();
    const answer = await refused(name);
    if (answer !== null) expect(answer.body['code']).toBe(code);
    await holdfast.logged({ level: 'warn', msg: 'Webhook refused', source: name, code });
    expect(await rejected(name, code)).toBe(1);
    const lines = await waitFor(async () => {
      const { body } = await holdfast.call('GET', `/api/audit?subject=webhook-source:${name}&action=webhook.rejected`);
      const found = body['data'] as unknown[];
      return found.length > 0 ? found : undefined;
    });
    expect(lines).toMatchObject([{ ip: '127.0.0.1', details: { code } }]);
    const [
      {
        details: { contentLength },
      },
    ] = lines as [{ details: { contentLength: unknown } }];
    expect(contentLength === null || (typeof contentLength === 'string' && /^\d+$/.test(contentLength))).toBe(true);
  });

  it.each(ways)('is counted as unknown where there is no such source: %s, %s', async (code, _, refused) => {
    const before = await rejected('unknown', code);
    await refused('made-up-by-a-stranger');
    await waitFor(async () => (await rejected('unknown', code)) === before + 1);
    expect(holdfast.server.output()).not.toMatch(/Webhook refused.*made-up/);
  });

  it('counts in the limit of its source: audit lines are not free', async () => {
    const name = await newSource({ rateLimitPerMinute: 2 });
    const statuses: number[] = [];
    for (let n = 0; n < 4; n++) statuses.push((await send(name, pushOfSize(MEBIBYTE + 1))).status);
    expect(statuses).toEqual([413, 413, 429, 429]);
    expect(await rejected(name, 'PAYLOAD_TOO_LARGE')).toBe(2);
    expect(await rejected(name, 'RATE_LIMIT_EXCEEDED')).toBe(2);
  });
});

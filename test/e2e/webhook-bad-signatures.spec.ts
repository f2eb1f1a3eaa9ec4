import { describe, expect, it } from '@jest/globals';
import { expectProblem } from '../support/http-answer.js';
import { rawRequest, speak } from '../support/raw-http.js';
import { serverUnderTest } from '../support/server-under-test.js';
import { SECRETS, stripeSignature } from '../support/signing.js';
import { Scrape } from '../support/metrics.js';
import { waitFor } from '../support/wait-for.js';
import { bytesOf, newEventId, stripeEvent, unixNow } from '../support/webhook-sender.js';

const holdfast = serverUnderTest();
/** Never sent with a good signature. */
const event = stripeEvent();
const body = bytesOf(event);

const sendWith = (header: string) => holdfast.sender.post('/webhooks/stripe', body, { 'Stripe-Signature': header });
const goodV1 = (timestamp: number | string) => stripeSignature(body, SECRETS.stripe, timestamp);

async function expectNothingStored(): Promise<void> {
  const rows = await holdfast.sql('SELECT id FROM webhook_events WHERE event_id = $1', [event.id]);
  expect(rows).toEqual([]);
}

describe('A webhook whose signature does not hold', () => {
  it('is refused when the header is missing', async () => {
    expectProblem(await holdfast.sender.post('/webhooks/stripe', body), 401, 'WEBHOOK_SIGNATURE_MISSING');
    await expectNothingStored();
  });

  it('is refused when the header is empty', async () => {
    expectProblem(await sendWith(''), 401, 'WEBHOOK_SIGNATURE_MISSING');
  });

  const now = unixNow();
  const v1 = goodV1(now);
  it.each([
    ['is no list of items', 'nonsense'],
    ['has only a time', `t=${now}`],
    ['has only a signature', `v1=${v1}`],
    ['has two times', `t=${now},t=${now},v1=${v1}`],
    ['has an empty signature', `t=${now},v1=`],
    ['is cut off', `t=${now},v1=${v1.slice(0, 63)}`],
    ['is one digit too long', `t=${now},v1=${v1}0`],
    ['is not hex', `t=${now},v1=${'z'.repeat(64)}`],
    ['is hex up to its last digit', `t=${now},v1=${v1.slice(0, 63)}g`],
    ['is base64 in place of hex', `t=${now},v1=${Buffer.from(v1, 'hex').toString('base64')}`],
    ['is of a scheme that is not v1', `t=${now},v0=${v1}`],
    ['names v1 in capitals', `t=${now},V1=${v1}`],
    ['is wrong by its first digit', `t=${now},v1=${v1.startsWith('0') ? '1' : '0'}${v1.slice(1)}`],
    ['is wrong by its last digit', `t=${now},v1=${v1.slice(0, -1)}${v1.endsWith('0') ? '1' : '0'}`],
    ['is made with another secret', `t=${now},v1=${stripeSignature(body, 'whsec_another', now)}`],
    [
      'is made with the secret less its last letter',
      `t=${now},v1=${stripeSignature(body, SECRETS.stripe.slice(0, -1), now)}`,
    ],
    ['is made over another body', `t=${now},v1=${stripeSignature(bytesOf('{}'), SECRETS.stripe, now)}`],
    ['is made for another time', `t=${now},v1=${goodV1(now - 1)}`],
  ])('is refused when it %s', async (_, header) => {
    expectProblem(await sendWith(header), 401, 'WEBHOOK_SIGNATURE_INVALID');
    await expectNothingStored();
  });

  it.each(['', 'NaN', 'Infinity', '-Infinity', '1e9', '0x68', 'now', '1.5', '-1', '+1', ' 1', '9'.repeat(400)])(
    'is refused when its time is %j, even if exactly that was signed',
    async (time) => {
      expectProblem(await sendWith(`t=${time},v1=${goodV1(time)}`), 401, 'WEBHOOK_SIGNATURE_INVALID');
    },
  );

  it('is refused when the header comes twice, even if each of the two is right', async () => {
    const header = `t=${now},v1=${v1}`;
    const answer = await speak(
      holdfast.server.url,
      rawRequest(
        'POST /webhooks/stripe',
        [
          ['Content-Type', 'application/json'],
          ['Content-Length', String(body.length)],
          ['Stripe-Signature', header],
          ['stripe-signature', header],
        ],
        body,
      ),
    );
    expectProblem(answer, 401, 'WEBHOOK_SIGNATURE_INVALID');
    expect(answer.body['details']).toMatchObject({ reason: 'duplicate' });
  });

  it('is refused when one byte of the body changed on the way', async () => {
    const changed = Buffer.from(body);
    changed[changed.length - 1] = 0x20;
    const headers = { 'Stripe-Signature': `t=${now},v1=${v1}` };
    expectProblem(await holdfast.sender.post('/webhooks/stripe', changed, headers), 401, 'WEBHOOK_SIGNATURE_INVALID');
  });

  it('is refused before its body is looked at, whatever that is', async () => {
    for (const junk of ['', 'not json', Buffer.from([0xff, 0xfe, 0x00]), '{"id":"\\u0000"}']) {
      const headers = { 'Stripe-Signature': `t=${now},v1=${'0'.repeat(64)}`, 'content-type': 'text/plain' };
      expectProblem(await holdfast.sender.post('/webhooks/stripe', junk, headers), 401, 'WEBHOOK_SIGNATURE_INVALID');
    }
  });

  it('is refused when it is right for a source of another name', async () => {
    await holdfast.call('POST', '/api/webhook-sources', {
      name: 'stripe-eu',
      provider: 'stripe',
      secret: 'whsec_of_the_other_source',
    });
    expectProblem(
      await holdfast.sender.stripe(body, { path: '/webhooks/stripe-eu' }),
      401,
      'WEBHOOK_SIGNATURE_INVALID',
    );
  });

  it.each([
    ['paystack', 'x-paystack-signature', 'f'.repeat(128)],
    ['gorgias', 'X-Gorgias-Signature', 'f'.repeat(64)],
    ['shopify', 'X-Shopify-Hmac-Sha256', Buffer.alloc(32).toString('base64')],
    ['github', 'X-Hub-Signature-256', `sha256=${'f'.repeat(64)}`],
    ['hmac', 'X-Signature', 'f'.repeat(64)],
  ])('is refused by %s too, missing or wrong', async (provider, header, wrong) => {
    const path = `/webhooks/${provider}`;
    expectProblem(await holdfast.sender.post(path, body), 401, 'WEBHOOK_SIGNATURE_MISSING');
    expectProblem(await holdfast.sender.post(path, body, { [header]: wrong }), 401, 'WEBHOOK_SIGNATURE_INVALID');
    expectProblem(
      await holdfast.sender.post(path, body, { [header]: wrong.slice(0, 20) }),
      401,
      'WEBHOOK_SIGNATURE_INVALID',
    );
  });

  it.each(['webhook-id', 'webhook-timestamp', 'webhook-signature'])(
    'is refused by a Standard Webhooks source without %s',
    async (missing) => {
      const headers: Record<string, string> = {
        'webhook-id': newEventId(),
        'webhook-timestamp': String(unixNow()),
        'webhook-signature': `v1,${Buffer.alloc(32).toString('base64')}`,
      };
      expectProblem(await holdfast.sender.post('/webhooks/standard', body, headers), 401, 'WEBHOOK_SIGNATURE_INVALID');
      delete headers[missing];
      expectProblem(await holdfast.sender.post('/webhooks/standard', body, headers), 401, 'WEBHOOK_SIGNATURE_MISSING');
    },
  );

  it('leaves an audit line and a count behind, and neither its body nor its signature', async () => {
    const before = (await Scrape.of(holdfast.server)).value('holdfast_webhook_signature_failures_total', {
      source: 'stripe',
    });
    const signature = `t=${now},v1=${'ab'.repeat(32)}`;
    const answer = await holdfast.sender.post('/webhooks/stripe', '{"secret-of-the-body":1}', {
      'Stripe-Signature': signature,
      'X-Request-Id': 'refused-webhook-1',
    });
    expect(answer.status).toBe(401);
    const line = await waitFor(async () => {
      const { body: page } = await holdfast.call('GET', '/api/audit?action=webhook.rejected&limit=200');
      return (page['data'] as { requestId: string }[]).find(({ requestId }) => requestId === 'refused-webhook-1');
    });
    expect(line).toMatchObject({
      actor: 'webhook:stripe',
      subject: 'webhook-source:stripe',
      ip: '127.0.0.1',
      details: { code: 'WEBHOOK_SIGNATURE_INVALID', reason: 'mismatch', bytes: 24 },
    });
    expect(JSON.stringify(line)).not.toMatch(/secret-of-the-body|abab/);
    const after = (await Scrape.of(holdfast.server)).value('holdfast_webhook_signature_failures_total', {
      source: 'stripe',
    });
    expect(after).toBe((before ?? 0) + 1);
    await holdfast.logged({ msg: 'Webhook refused', requestId: 'refused-webhook-1', source: 'stripe' });
  });
});

describe('A webhook with several signatures', () => {
  const other = 'f'.repeat(64);
  const accepted = bytesOf(stripeEvent());
  const right = (timestamp: number) => stripeSignature(accepted, SECRETS.stripe, timestamp);

  it.each([
    ['last', (t: number) => `t=${t},v1=${other},v1=${right(t)}`],
    ['first', (t: number) => `t=${t},v1=${right(t)},v1=${other}`],
    ['before the time', (t: number) => `v1=${right(t)},t=${t}`],
    [
      'beside unknown schemes and one that cannot be read',
      (t: number) => `v0=${other},t=${t},v1=zz,v1=${right(t)},v9=1`,
    ],
    ['in capitals', (t: number) => `t=${t},v1=${right(t).toUpperCase()}`],
  ])('is taken in when a right one is among them: %s', async (_, header) => {
    const headers = { 'Stripe-Signature': header(unixNow()) };
    expect((await holdfast.sender.post('/webhooks/stripe', accepted, headers)).status).toBe(200);
  });

  it('is refused when none of them is right', async () => {
    expectProblem(await sendWith(`t=${unixNow()},v1=${other},v1=${'e'.repeat(64)}`), 401, 'WEBHOOK_SIGNATURE_INVALID');
  });
});

describe('The replay window', () => {
  // Seconds are whole and time passes on the way: one second of slack at the inner edges, none in what is refused.
  it.each([-299, -150, 0, 150, 300])('takes in what was signed %i s from now', async (skew) => {
    const answer = await holdfast.sender.stripe(stripeEvent(), { timestamp: unixNow() + skew });
    expect(answer.status).toBe(200);
  });

  it.each([-301, -3600, -unixNow(), 302, 3600, 10 * 365 * 86_400])(
    'refuses what was signed %i s from now',
    async (skew) => {
      const late = stripeEvent();
      const answer = await holdfast.sender.stripe(late, { timestamp: unixNow() + skew });
      expectProblem(answer, 400, 'WEBHOOK_TIMESTAMP_OUT_OF_TOLERANCE');
      expect(answer.body['details']).toEqual({ skewSeconds: expect.any(Number), toleranceSeconds: 300 });
      const { skewSeconds } = answer.body['details'] as { skewSeconds: number };
      expect(Math.abs(skewSeconds - skew)).toBeLessThanOrEqual(2);
      expect((await holdfast.call('GET', `/api/stripe/webhook/status/${late.id}`)).status).toBe(404);
    },
  );

  it('is as wide as the source says', async () => {
    const source = { name: 'narrow', provider: 'stripe', secret: SECRETS.stripe, toleranceSeconds: 10 };
    expect((await holdfast.call('POST', '/api/webhook-sources', source)).status).toBe(201);
    const send = (skew: number) =>
      holdfast.sender.stripe(stripeEvent(), { path: '/webhooks/narrow', timestamp: unixNow() + skew });
    expect((await send(-9)).status).toBe(200);
    expect((await send(10)).status).toBe(200);
    expectProblem(await send(-12), 400, 'WEBHOOK_TIMESTAMP_OUT_OF_TOLERANCE');
    expectProblem(await send(12), 400, 'WEBHOOK_TIMESTAMP_OUT_OF_TOLERANCE');
  });

  it('holds for Standard Webhooks too', async () => {
    const send = (skew: number) =>
      holdfast.sender.send('standard', { type: 'user.created' }, { timestamp: unixNow() + skew });
    expect((await send(0)).status).toBe(200);
    expectProblem(await send(-310), 400, 'WEBHOOK_TIMESTAMP_OUT_OF_TOLERANCE');
    expectProblem(await send(310), 400, 'WEBHOOK_TIMESTAMP_OUT_OF_TOLERANCE');
  });

  it('is judged only after the signature: a forged one learns nothing about the clock', async () => {
    const answer = await sendWith(`t=${unixNow() - 5000},v1=${'0'.repeat(64)}`);
    expectProblem(answer, 401, 'WEBHOOK_SIGNATURE_INVALID');
  });
});

import { createHash, createHmac, generateKeyPairSync } from 'node:crypto';
import { Webhook } from 'standardwebhooks';
import { Stripe } from 'stripe';
import { describe, expect, it } from '@jest/globals';
import { PROVIDER_NAMES, UNTYPED, webhookProvider } from '../../src/modules/webhooks/index.js';
import { type Answer, expectProblem } from '../support/http-answer.js';
import { serverUnderTest } from '../support/server-under-test.js';
import { ed25519Signature, SECRETS, standardSignature } from '../support/signing.js';
import { bytesOf, newEventId, stripeEvent, unixNow, type WebhookBody } from '../support/webhook-sender.js';

const holdfast = serverUnderTest({ env: { WEBHOOK_RATE_LIMIT_PER_MINUTE: '0' } });

/** What became of a webhook, as an operator sees it. */
async function stored(answer: Answer): Promise<Record<string, unknown>> {
  expect({ status: answer.status, body: answer.body }).toMatchObject({ status: 200, body: { received: true } });
  const { body } = await holdfast.call('GET', `/api/webhook-events/${String(answer.body['id'])}`);
  expect(body['eventId']).toBe(answer.body['eventId']);
  return body;
}

const send = async (...parameters: Parameters<typeof holdfast.sender.send>) =>
  stored(await holdfast.sender.send(...parameters));
const sha256 = (body: WebhookBody) => createHash('sha256').update(bytesOf(body)).digest('hex');
const createSource = async (source: object) => {
  const answer = await holdfast.call('POST', '/api/webhook-sources', source);
  expect({ status: answer.status, body: answer.body }).toMatchObject({ status: 201 });
};

describe.each(PROVIDER_NAMES)('A source of the provider %s', (provider) => {
  const adapter = webhookProvider(provider);

  it('takes in what "holdfast send" would send it, once', async () => {
    const eventId = newEventId();
    const timestamp = unixNow();
    const sample = adapter.sample(undefined, eventId, timestamp);
    const body = bytesOf(sample.body);
    const headers = adapter.sign({ body, eventId, eventType: sample.eventType, timestamp }, SECRETS[provider]);
    const first = await holdfast.sender.post(`/webhooks/${provider}`, body, headers);
    expect(await stored(first)).toMatchObject({
      source: provider,
      eventType: sample.eventType,
      payload: sample.body,
      bodyBase64: body.toString('base64'),
    });
    const again = await holdfast.sender.post(`/webhooks/${provider}`, body, headers);
    expect(again).toMatchObject({
      status: 200,
      body: { received: true, status: 'already_processed', id: first.body['id'], eventId: first.body['eventId'] },
    });
  });
});

describe('Stripe', () => {
  it("takes in what Stripe's own library signs", async () => {
    const event = stripeEvent('invoice.paid', { object: { id: 'in_1', amount: 2000 } });
    const payload = JSON.stringify(event, null, 2);
    const header = Stripe.webhooks.generateTestHeaderString({ payload, secret: SECRETS.stripe });
    const answer = await holdfast.sender.post('/webhooks/stripe', payload, { 'Stripe-Signature': header });
    expect(await stored(answer)).toMatchObject({
      eventId: event.id,
      eventType: 'invoice.paid',
      idempotencyKey: `${event.id}_invoice.paid`,
      occurredAt: new Date(Number(event['created']) * 1000).toISOString(),
    });
  });

  it('is found at its old address, too', async () => {
    const event = stripeEvent();
    const alias = await holdfast.sender.stripe(event, { path: '/api/stripe/webhook' });
    expect(await stored(alias)).toMatchObject({ source: 'stripe', eventId: event.id });
    expect((await holdfast.sender.stripe(event)).body).toMatchObject({ status: 'already_processed' });
    expectProblem(
      await holdfast.sender.stripe(event, { path: '/api/stripe/webhook', secret: 'whsec_wrong' }),
      401,
      'WEBHOOK_SIGNATURE_INVALID',
    );
  });
});

describe('Paystack', () => {
  const charge = (data: object) => ({ event: 'charge.success', data });

  it('is known by event and data.id', async () => {
    expect(await send('paystack', charge({ id: 302961, reference: 'qTPrJoy9Bx' }))).toMatchObject({
      eventId: 'charge.success:302961',
      eventType: 'charge.success',
    });
  });

  it('is known by event and data.reference where there is no id', async () => {
    const reference = newEventId();
    expect(await send('paystack', charge({ reference }))).toMatchObject({ eventId: `charge.success:${reference}` });
  });

  it('is known by the content of a refund, which has neither', async () => {
    const refund = (amount: number) => ({
      event: 'refund.processed',
      data: { transaction_reference: 'T1', amount, nonce: newEventId() },
    });
    const [first, second] = [refund(100), refund(200)];
    expect(await send('paystack', first)).toMatchObject({ eventId: `refund.processed:${sha256(first)}` });
    expect(await send('paystack', second)).toMatchObject({ eventId: `refund.processed:${sha256(second)}` });
    expect((await holdfast.sender.send('paystack', first)).body).toMatchObject({ status: 'already_processed' });
  });

  it('may say something new about the same object under the same type', async () => {
    const notice = (status: string) => ({ event: 'subscription.not_renew', data: { id: 317617, status } });
    const [first, second] = [notice('non-renewing'), notice('cancelled')];
    const noticed = await send('paystack', first);
    expect(noticed).toMatchObject({ eventId: `subscription.not_renew:317617:${sha256(first)}` });
    expect(await send('paystack', second)).toMatchObject({ status: 'IGNORED', conflicts: 0 });
    const again = await holdfast.sender.send('paystack', first);
    expect(again.body).toMatchObject({ status: 'already_processed', id: noticed['id'] });
  });

  it('is refused when a charge has neither id nor reference', async () => {
    expectProblem(await holdfast.sender.send('paystack', charge({})), 400, 'WEBHOOK_EVENT_ID_INVALID');
  });

  it('keeps two events about one charge apart', async () => {
    const data = { id: Number(String(Date.now()).slice(-9)) };
    const first = await send('paystack', { event: 'charge.success', data });
    const second = await send('paystack', { event: 'charge.dispute.create', data });
    expect(second['id']).not.toBe(first['id']);
  });

  it('is found at its old address, too', async () => {
    const answer = await holdfast.sender.send('paystack', charge({ reference: newEventId() }), {
      path: '/api/paystack/webhook',
    });
    expect(await stored(answer)).toMatchObject({ source: 'paystack', eventType: 'charge.success' });
  });
});

describe('Gorgias', () => {
  it('is known by webhook id and content, because it uses one id for many events', async () => {
    const webhookId = newEventId();
    const event = (status: string) => ({
      webhook_id: webhookId,
      event_type: 'ticket-updated',
      ticket: { id: 1, status },
    });
    const [opened, closed] = [event('open'), event('closed')];
    expect(await send('gorgias', opened)).toMatchObject({
      eventId: `${webhookId}:${sha256(opened)}`,
      eventType: 'ticket-updated',
      conflicts: 0,
    });
    expect(await send('gorgias', closed)).toMatchObject({ eventId: `${webhookId}:${sha256(closed)}` });
    expect((await holdfast.sender.send('gorgias', opened)).body).toMatchObject({ status: 'already_processed' });
  });

  it('takes its type from the path where the body has none, and keeps it', async () => {
    const event = { id: newEventId(), ticket: { id: 5 } };
    expect(await send('gorgias', event, { path: '/webhooks/gorgias/ticket-message-created' })).toMatchObject({
      eventId: `${event.id}:${sha256(event)}`,
      eventType: 'ticket-message-created',
      topic: 'ticket-message-created',
    });
  });

  it('is untyped without a type in either place, and refused without an id', async () => {
    expect(await send('gorgias', { id: newEventId() })).toMatchObject({ eventType: 'untyped' });
    expectProblem(await holdfast.sender.send('gorgias', { event_type: 'x' }), 400, 'WEBHOOK_EVENT_ID_INVALID');
  });
});

describe('Shopify', () => {
  it('is known by its headers', async () => {
    const id = newEventId();
    const headers = { 'X-Shopify-Triggered-At': '2026-01-31T09:30:00.123456789Z' };
    expect(await send('shopify', { id: 820982911946154500 }, { id, type: 'orders/create', headers })).toMatchObject({
      eventId: id,
      eventType: 'orders/create',
      occurredAt: '2026-01-31T09:30:00.123Z',
    });
  });

  it('may name its headers as its second generation does, with the id of what happened beside its own', async () => {
    const body = '{"product":{"id":1}}';
    const id = newEventId();
    const headers = {
      'Shopify-Hmac-Sha256': createHmac('sha256', SECRETS.shopify).update(body).digest('base64'),
      'Shopify-Topic': 'Product',
      'Shopify-Webhook-Id': id,
      'Shopify-Event-Id': 'a-merchant-did-something',
    };
    const event = await stored(await holdfast.sender.post('/webhooks/shopify', body, headers));
    expect(event).toMatchObject({ eventId: id, eventType: 'Product', causeId: 'a-merchant-did-something' });
    expect(event['headers']).toMatchObject({ 'shopify-hmac-sha256': '[redacted]' });
    const sibling = { ...headers, 'Shopify-Webhook-Id': newEventId() };
    const other = await stored(await holdfast.sender.post('/webhooks/shopify', body, sibling));
    expect(other).toMatchObject({ causeId: 'a-merchant-did-something', status: 'IGNORED' });
    expect(other['id']).not.toBe(event['id']);
  });

  it.each(['X-Shopify-Webhook-Id', 'X-Shopify-Topic'])('is refused without %s', async (header) => {
    const answer = await holdfast.sender.send('shopify', {}, { headers: { [header]: '' } });
    expectProblem(answer, 400, 'WEBHOOK_EVENT_ID_INVALID');
  });
});

describe('GitHub', () => {
  it('is known by its headers', async () => {
    const id = '72d3162e-cc78-11e3-81ab-4c9367dc0958';
    expect(await send('github', { action: 'opened' }, { id, type: 'pull_request' })).toMatchObject({
      eventId: id,
      eventType: 'pull_request',
      status: 'IGNORED',
    });
  });

  it('may send one event through several hooks: each body is an event of its own, and none is a conflict', async () => {
    const id = newEventId();
    const push = { ref: 'refs/heads/main', installation: { id: 9 } };
    const deliver = (body: object, hook: string) =>
      holdfast.sender.send('github', body, { id, type: 'push', headers: { 'X-GitHub-Hook-ID': hook } });
    const repository = await stored(await deliver({ ref: push.ref }, '11'));
    const app = await stored(await deliver(push, '22'));
    expect(repository).toMatchObject({ eventId: id, payload: { ref: push.ref } });
    expect(app).toMatchObject({ eventId: `${id}:22`, eventType: 'push', payload: push, conflicts: 0 });
    const again = { status: 'already_processed', id: app['id'], eventId: `${id}:22` };
    expect((await deliver(push, '22')).body).toMatchObject(again);
    const organization = { status: 'already_processed', id: repository['id'], eventId: id };
    expect((await deliver({ ref: push.ref }, '33')).body).toMatchObject(organization);
    const { body } = await holdfast.call('GET', `/api/webhook-events/${String(repository['id'])}`);
    expect(body['conflicts']).toBe(0);
  });

  it('has its ping answered by the built-in handler, which notes that the source is connected', async () => {
    const { id } = await send('github', { zen: 'Design for failure.', hook_id: 4711 }, { type: 'ping' });
    await holdfast.eventIn('PROCESSED', id);
    const { body } = await holdfast.call('GET', '/api/audit?action=webhook_source.connected&limit=200');
    expect(body['data']).toContainEqual(
      expect.objectContaining({ subject: 'webhook-source:github', details: { hookId: 4711 } }),
    );
  });
});

describe('Standard Webhooks', () => {
  const payload = (type = 'user.created') => JSON.stringify({ type, data: { id: 'user_1' } });

  it("takes in what the specification's own library signs", async () => {
    const id = newEventId();
    const now = new Date();
    const signature = new Webhook(SECRETS.standard).sign(id, now, payload());
    const answer = await holdfast.sender.post('/webhooks/standard', payload(), {
      'webhook-id': id,
      'webhook-timestamp': String(Math.floor(now.getTime() / 1000)),
      'webhook-signature': signature,
    });
    expect(await stored(answer)).toMatchObject({ eventId: id, eventType: 'user.created' });
  });

  it('need not say what type they are, and may say it where the source expects it', async () => {
    const body = '{"test":2432232314}';
    const svix = (id: string, secret: string = SECRETS.standard) => {
      const timestamp = unixNow();
      return {
        'svix-id': id,
        'svix-timestamp': String(timestamp),
        'svix-signature': `v1,${standardSignature(bytesOf(body), secret, timestamp, id)}`,
      };
    };
    const id = newEventId();
    expect(await stored(await holdfast.sender.post('/webhooks/standard', body, svix(id)))).toMatchObject({
      eventId: id,
      eventType: UNTYPED,
      idempotencyKey: `${id}_untyped`,
    });
    const { body: page } = await holdfast.call('GET', '/api/webhook-events?source=standard&type=untyped');
    expect(page['data']).toMatchObject([{ eventId: id }]);

    await createSource({ name: 'typed', provider: 'standard', secret: SECRETS.standard, typeHeader: 'X-Topic' });
    const post = (headers: Record<string, string>) =>
      holdfast.sender.post('/webhooks/typed', body, { ...svix(newEventId()), ...headers });
    expect(await stored(await post({ 'X-Topic': 'user.created' }))).toMatchObject({ eventType: 'user.created' });
    const changed = await holdfast.call('PATCH', '/api/webhook-sources/typed', { typeHeader: null, typePath: 'test' });
    expect(changed).toMatchObject({ status: 200, body: { typeHeader: null, typePath: 'test' } });
    expect(await stored(await post({ 'X-Topic': 'user.created' }))).toMatchObject({ eventType: '2432232314' });
  });

  it('may name its headers as Svix does', async () => {
    const id = newEventId();
    const timestamp = unixNow();
    const headers = {
      'svix-id': id,
      'svix-timestamp': String(timestamp),
      'svix-signature': `v1,${standardSignature(bytesOf(payload()), SECRETS.standard, timestamp, id)}`,
    };
    expect(await stored(await holdfast.sender.post('/webhooks/standard', payload(), headers))).toMatchObject({
      eventId: id,
    });
    const mixed = { ...headers, 'webhook-id': id, 'svix-id': '' };
    expectProblem(await holdfast.sender.post('/webhooks/standard', payload(), mixed), 401, 'WEBHOOK_SIGNATURE_MISSING');
  });

  it('may be signed with ed25519, among other signatures, and not with another key', async () => {
    const [right, wrong] = [generateKeyPairSync('ed25519'), generateKeyPairSync('ed25519')];
    const raw = right.publicKey.export({ format: 'der', type: 'spki' }).subarray(-32);
    const name = 'standard-ed25519';
    await createSource({ name, provider: 'standard', secret: `whpk_${raw.toString('base64')}` });
    const post = (signature: string, id: string, timestamp: number) =>
      holdfast.sender.post(`/webhooks/${name}`, payload(), {
        'webhook-id': id,
        'webhook-timestamp': String(timestamp),
        'webhook-signature': signature,
      });
    const id = newEventId();
    const timestamp = unixNow();
    const good = ed25519Signature(bytesOf(payload()), right.privateKey, timestamp, id);
    const bad = ed25519Signature(bytesOf(payload()), wrong.privateKey, timestamp, id);
    expectProblem(await post(`v1a,${bad}`, id, timestamp), 401, 'WEBHOOK_SIGNATURE_INVALID');
    expectProblem(await post(`v1,${good}`, id, timestamp), 401, 'WEBHOOK_SIGNATURE_INVALID');
    expectProblem(await post(`v1a,${good}`, newEventId(), timestamp), 401, 'WEBHOOK_SIGNATURE_INVALID');
    expect(await stored(await post(`v1,c2hvcnQ= v1a,${bad} v1a,${good}`, id, timestamp))).toMatchObject({
      eventId: id,
    });
  });
});

describe('A custom HMAC sender', () => {
  it('may sign as its source describes: template, algorithm, encoding, prefix and places', async () => {
    const secret = 'a secret of our own';
    await createSource({
      name: 'custom',
      provider: 'hmac',
      secret,
      scheme: {
        signatureHeader: 'X-Custom-Sign',
        algorithm: 'sha512',
        encoding: 'base64url',
        prefix: 'v7=',
        template: '{timestamp}:{id}:{body}',
        timestampHeader: 'X-Custom-Time',
        idHeader: 'X-Custom-Id',
        typePath: 'meta.kind',
      },
    });
    const body = '{ "meta" : { "kind" : "order.paid" } , "total" : 1e2 }';
    const id = newEventId();
    const post = (timestamp: number, changes: Record<string, string> = {}) => {
      const mac = createHmac('sha512', secret).update(`${timestamp}:${id}:${body}`).digest('base64url');
      return holdfast.sender.post('/webhooks/custom', body, {
        'X-Custom-Sign': `v7=${mac}`,
        'X-Custom-Time': String(timestamp),
        'X-Custom-Id': id,
        ...changes,
      });
    };
    expectProblem(await post(unixNow() - 400), 400, 'WEBHOOK_TIMESTAMP_OUT_OF_TOLERANCE');
    expectProblem(await post(unixNow(), { 'X-Custom-Id': newEventId() }), 401, 'WEBHOOK_SIGNATURE_INVALID');
    expectProblem(await post(unixNow(), { 'X-Custom-Time': String(unixNow() + 60) }), 401, 'WEBHOOK_SIGNATURE_INVALID');
    expect(await stored(await post(unixNow()))).toMatchObject({
      source: 'custom',
      eventId: id,
      eventType: 'order.paid',
    });
  });

  it('may leave everything at its default', async () => {
    const id = newEventId();
    expect(await send('hmac', { id, type: 'order.created' })).toMatchObject({
      eventId: id,
      eventType: 'order.created',
    });
  });

  it('may change how it signs without losing what its source already has', async () => {
    await createSource({ name: 'changing', provider: 'hmac', secret: SECRETS.hmac });
    const event = { id: newEventId(), type: 'x' };
    await send('hmac', event, { path: '/webhooks/changing' });
    const scheme = { signatureHeader: 'X-Other', prefix: 'hmac ' };
    expect((await holdfast.call('PATCH', '/api/webhook-sources/changing', { scheme })).status).toBe(200);
    expectProblem(
      await holdfast.sender.send('hmac', event, { path: '/webhooks/changing' }),
      401,
      'WEBHOOK_SIGNATURE_MISSING',
    );
    const mac = createHmac('sha256', SECRETS.hmac).update(bytesOf(event)).digest('hex');
    const answer = await holdfast.sender.post('/webhooks/changing', event, { 'X-Other': `hmac ${mac}` });
    expect(answer).toMatchObject({ status: 200, body: { status: 'already_processed' } });
  });
});

describe('Two sources of one provider', () => {
  it('have each their own secret and their own events, even under one event id', async () => {
    const secret = 'whsec_of_the_second_account';
    await createSource({ name: 'stripe-second', provider: 'stripe', secret });
    const event = stripeEvent();
    const first = await send('stripe', event);
    const second = await send('stripe', event, { path: '/webhooks/stripe-second', secret });
    expect(second).toMatchObject({ source: 'stripe-second', eventId: event.id });
    expect(second['id']).not.toBe(first['id']);
    expect(second['secretId']).not.toBe(first['secretId']);
  });
});

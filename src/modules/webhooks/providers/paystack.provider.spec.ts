import { createHmac } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { isJsonObject, parseExactJson } from '../../../kernel/exact-json.js';
import { PaystackProvider } from './paystack.provider.js';
import { describeWebhookProvider, incomingWebhook, PAYLOAD_HASH, refusalOf } from './webhook-provider.contract.js';

const provider = new PaystackProvider();

describeWebhookProvider('PaystackProvider', {
  provider,
  keys: [
    { signWith: 'sk_test_9f2c', verifyWith: 'sk_test_9f2c' },
    { signWith: 'sk_test_0000', verifyWith: 'sk_test_0000' },
  ],
  signatureHeader: 'X-Paystack-Signature',
  signsTime: false,
  id: { path: ['data', 'reference'] },
  type: { path: ['event'] },
});

const identify = (text: string, payloadHash = PAYLOAD_HASH) => {
  const payload = parseExactJson(text);
  return provider.identify(incomingWebhook({}, Buffer.from(text)), isJsonObject(payload) ? payload : {}, payloadHash);
};

describe('Paystack webhooks', () => {
  it('are signed with HMAC-SHA512 of the body in hex', () => {
    const body = Buffer.from('{"event":"charge.success"}');
    const signature = createHmac('sha512', 'sk_test_1').update(body).digest('hex');
    const webhook = incomingWebhook({ 'x-paystack-signature': signature }, body);
    expect(provider.verify(webhook, [{ id: 'k', value: 'sk_test_1' }]).secretId).toBe('k');
  });

  it.each([
    ['{"event":"charge.success","data":{"id":4099260516,"reference":"re4lyvq3s3"}}', 'charge.success:4099260516'],
    ['{"event":"charge.success","data":{"id":9007199254740993}}', 'charge.success:9007199254740993'],
    ['{"event":"charge.success","data":{"reference":"re4lyvq3s3"}}', 'charge.success:re4lyvq3s3'],
    ['{"event":"transfer.success","data":{"id":"T-1"}}', 'transfer.success:T-1'],
    ['{"event":"charge.success","data":{"id":null,"reference":"re4lyvq3s3"}}', 'charge.success:re4lyvq3s3'],
  ])('are named by type and subject: %s', (text, eventId) => {
    expect(identify(text).eventId).toBe(eventId);
  });

  it.each([
    ['{"event":"refund.processed","data":{"refund_reference":"r1"}}', 'refund.processed'],
    ['{"event":"subscription.create","data":{"subscription_code":"SUB_1"}}', 'subscription.create'],
    ['{"event":"customeridentification.success","data":{"customer_id":"1"}}', 'customeridentification.success'],
    ['{"event":"subscription.expiring_cards","data":[{"expiry_date":"12/2030"}]}', 'subscription.expiring_cards'],
  ])('are named by their content where they have no id: %s', (text, event) => {
    expect(identify(text).eventId).toBe(`${event}:${PAYLOAD_HASH}`);
  });

  it.each([
    [
      '{"event":"subscription.not_renew","data":{"id":317617,"status":"non-renewing"}}',
      'subscription.not_renew:317617',
    ],
    ['{"event":"charge.dispute.remind","data":{"id":2867}}', 'charge.dispute.remind:2867'],
    ['{"event":"charge.dispute.create","data":{"id":2867}}', 'charge.dispute.create:2867'],
    ['{"event":"paymentrequest.pending","data":{"id":1089700}}', 'paymentrequest.pending:1089700'],
    ['{"event":"invoice.update","data":{"reference":"r_1"}}', 'invoice.update:r_1'],
    ['{"event":"refund.processed","data":{"id":77}}', 'refund.processed:77'],
    ['{"event":"charge.successful","data":{"id":77}}', 'charge.successful:77'],
  ])('are named by their object and their content where they may come again for it: %s', (text, name) => {
    expect(identify(text).eventId).toBe(`${name}:${PAYLOAD_HASH}`);
    expect(identify(text, 'b'.repeat(64)).eventId).toBe(`${name}:${'b'.repeat(64)}`);
  });

  it.each(['[]', '1.5', '{"a":1}', '""', '"a\\u0000"', 'null', `"${'x'.repeat(101)}"`])(
    'are named by their content alone where they may come again and their id is unusable: %s',
    (id) => {
      const text = `{"event":"refund.processed","data":{"id":${id}}}`;
      expect(identify(text).eventId).toBe(`refund.processed:${PAYLOAD_HASH}`);
    },
  );

  it.each([
    '{"event":"charge.success","data":{}}',
    '{"event":"charge.success"}',
    '{"event":"transfer.failed","data":{"amount":1}}',
    '{"event":"charge.success","data":{"id":1.5}}',
    '{"event":"charge.success","data":{"id":1e21}}',
    '{"event":"charge.success","data":{"id":{"$ne":1}}}',
    '{"event":"charge.success","data":{"id":true}}',
  ])('are refused rather than named by something else: %s', (text) => {
    expect(refusalOf(() => identify(text))).toMatchObject({ status: 400, part: 'data.id (or data.reference)' });
  });

  it('are taken for a resend for as long as Paystack sends again, where their content names them', () => {
    const memoryOf = (event: string) => identify(`{"event":"${event}","data":{"id":1}}`).memorySeconds;
    expect(memoryOf('subscription.not_renew')).toBeGreaterThan(72 * 3600);
    expect(memoryOf('subscription.not_renew')).toBeLessThan(96 * 3600);
    expect(memoryOf('charge.success')).toBeUndefined();
    expect(memoryOf('transfer.failed')).toBeUndefined();
  });

  it('are ordered by their transaction', () => {
    expect(identify('{"event":"charge.success","data":{"id":1,"reference":"tx"}}').orderingKey).toBe('tx');
    expect(identify('{"event":"refund.pending","data":{"transaction_reference":"tx"}}').orderingKey).toBe('tx');
    const dispute = '{"event":"charge.dispute.create","data":{"id":2,"transaction":{"reference":"tx"}}}';
    expect(identify(dispute).orderingKey).toBe('tx');
  });

  it('happened when they were paid', () => {
    const text = '{"event":"charge.success","data":{"id":1,"paid_at":"2016-09-30T21:10:19.000Z"}}';
    expect(identify(text).occurredAt).toBe(Date.UTC(2016, 8, 30, 21, 10, 19));
    expect(identify('{"event":"charge.success","data":{"id":1,"paid_at":"never"}}').occurredAt).toBeUndefined();
  });

  it('have samples of charges and refunds', () => {
    expect(provider.sample(undefined, '4099260516', 0).body).toMatchObject({
      data: { id: 4099260516, status: 'success' },
    });
    expect(provider.sample('refund.processed', 'x', 0).body).toMatchObject({ data: { status: 'processed' } });
  });
});

import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { ShopifyProvider } from './shopify.provider.js';
import { describeWebhookProvider, incomingWebhook, refusalOf } from './webhook-provider.contract.js';

const provider = new ShopifyProvider();

describeWebhookProvider('ShopifyProvider', {
  provider,
  keys: [
    { signWith: 'shpss_1111', verifyWith: 'shpss_1111' },
    { signWith: 'shpss_2222', verifyWith: 'shpss_2222' },
  ],
  signatureHeader: 'X-Shopify-Hmac-Sha256',
  signsTime: false,
  id: { header: 'X-Shopify-Webhook-Id' },
  type: { header: 'X-Shopify-Topic' },
});

const body = Buffer.from('{"id":820982911946154508}');
const NAMES = { 'X-Shopify-Webhook-Id': 'b54557e4', 'X-Shopify-Topic': 'orders/create' };

describe('Shopify webhooks', () => {
  const digest = createHmac('sha256', 'shpss_1').update(body);
  const signature = digest.digest('base64');
  const verify = (value: string) =>
    provider.verify(incomingWebhook({ 'x-shopify-hmac-sha256': value }, body), [{ id: 'k', value: 'shpss_1' }]);

  it('are signed with HMAC-SHA256 of the body in base64', () => {
    expect(verify(signature).secretId).toBe('k');
  });

  it.each([
    ['without its padding', signature.replace(/=+$/, '')],
    ['in hex', Buffer.from(signature, 'base64').toString('hex')],
    ['in the URL alphabet', `${signature.slice(0, 20)}-_${signature.slice(22)}`],
    ['with a space inside', `${signature.slice(0, 20)} ${signature.slice(20)}`],
  ])('are refused when the signature is %s', (_, value) => {
    expect(refusalOf(() => verify(value))).toMatchObject({ status: 401, reason: 'malformed' });
  });

  it('happened when Shopify says they were triggered, to the millisecond', () => {
    const headers = { ...NAMES, 'X-Shopify-Triggered-At': '2023-03-29T18:00:27.877041743Z' };
    expect(provider.identify(incomingWebhook(headers, body), {}).occurredAt).toBe(
      Date.UTC(2023, 2, 29, 18, 0, 27, 877),
    );
    expect(provider.identify(incomingWebhook(NAMES, body), {}).occurredAt).toBeUndefined();
  });

  it('are ordered by order, refunds and fulfilments included', () => {
    const keyOf = (payload: { id: number | bigint; order_id?: number }) =>
      provider.identify(incomingWebhook(NAMES, body), payload).orderingKey;
    expect(keyOf({ id: 820982911946154508n })).toBe('820982911946154508');
    expect(keyOf({ id: 2, order_id: 1 })).toBe('1');
  });

  it.each(Object.keys(NAMES))('are refused when %s comes twice', (header) => {
    const webhook = incomingWebhook(NAMES, body);
    webhook.rawHeaders = [...webhook.rawHeaders, header.toLowerCase(), 'another'];
    expect(refusalOf(() => provider.identify(webhook, {}))).toMatchObject({ status: 400, part: header });
  });
});

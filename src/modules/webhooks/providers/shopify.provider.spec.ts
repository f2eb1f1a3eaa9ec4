import { createHmac } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
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

  const NEW = { 'Shopify-Webhook-Id': 'n1', 'Shopify-Topic': 'Product', 'Shopify-Hmac-Sha256': signature };
  const OLD = { ...NAMES, 'X-Shopify-Hmac-Sha256': signature };
  const wrong = createHmac('sha256', 'another').update(body).digest('base64');
  const accept = (headers: Record<string, string>) => {
    const webhook = incomingWebhook(headers, body);
    provider.verify(webhook, [{ id: 'k', value: 'shpss_1' }]);
    return provider.identify(webhook, {});
  };

  it('may name their headers without the X-, as the second generation does', () => {
    expect(accept({ ...NEW, 'Shopify-Triggered-At': '2026-01-27T12:00:00Z', 'Shopify-Event-Id': 'e1' })).toEqual({
      eventId: 'n1',
      eventType: 'Product',
      occurredAt: Date.UTC(2026, 0, 27, 12),
      causeId: 'e1',
    });
  });

  it('are read from one complete set of headers', () => {
    expect(accept({ ...OLD, ...NEW })).toMatchObject({ eventId: 'b54557e4', eventType: 'orders/create' });
    const { 'X-Shopify-Topic': _, ...incomplete } = OLD;
    expect(accept({ ...incomplete, ...NEW })).toMatchObject({ eventId: 'n1', eventType: 'Product' });
  });

  it.each([
    ['the signature', { ...NAMES, 'Shopify-Hmac-Sha256': signature }, 'Shopify-Webhook-Id'],
    ['the id', { ...OLD, 'X-Shopify-Webhook-Id': undefined, 'Shopify-Webhook-Id': 'n1' }, 'X-Shopify-Webhook-Id'],
    ['the topic', { ...OLD, 'X-Shopify-Topic': undefined, 'Shopify-Topic': 'n1' }, 'X-Shopify-Topic'],
    ['the id of the new set', { ...NEW, 'Shopify-Webhook-Id': undefined, ...NAMES }, 'Shopify-Webhook-Id'],
  ])('are never read from a mix of the sets: %s is of the other', (_, headers, part) => {
    const sent = Object.entries(headers).filter((entry): entry is [string, string] => entry[1] !== undefined);
    expect(refusalOf(() => accept(Object.fromEntries(sent)))).toMatchObject({ status: 400, part });
  });

  it('are refused when the signature of the set is wrong, whatever the other set holds', () => {
    for (const headers of [
      { ...NEW, 'Shopify-Hmac-Sha256': wrong },
      { ...OLD, 'X-Shopify-Hmac-Sha256': wrong },
      { ...OLD, ...NEW, 'X-Shopify-Hmac-Sha256': wrong },
    ]) {
      expect(refusalOf(() => accept(headers))).toMatchObject({ status: 401, reason: 'mismatch' });
    }
    expect(refusalOf(() => accept({ 'Shopify-Webhook-Id': 'n1', 'Shopify-Topic': 'Product' }))).toMatchObject({
      reason: 'missing',
    });
  });

  it('are known by their webhook id, not by what they came from', () => {
    const idOf = (id: string) => accept({ ...OLD, 'X-Shopify-Webhook-Id': id, 'X-Shopify-Event-Id': 'e1' });
    expect(idOf('w1')).toMatchObject({ eventId: 'w1', causeId: 'e1' });
    expect(idOf('w2')).toMatchObject({ eventId: 'w2', causeId: 'e1' });
    expect(accept({ ...OLD, 'X-Shopify-Event-Id': 'x'.repeat(256) }).causeId).toBeUndefined();
  });

  it.each(Object.keys(NAMES))('are refused when %s comes twice', (header) => {
    const webhook = incomingWebhook(NAMES, body);
    webhook.rawHeaders = [...webhook.rawHeaders, header.toLowerCase(), 'another'];
    expect(refusalOf(() => provider.identify(webhook, {}))).toMatchObject({ status: 400, part: header });
  });
});

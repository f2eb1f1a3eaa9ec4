import { createHmac } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import type { JsonObject } from '../../../kernel/exact-json.js';
import { GorgiasProvider } from './gorgias.provider.js';
import type { TypePlace } from './webhook-provider.js';
import { describeWebhookProvider, incomingWebhook, PAYLOAD_HASH, refusalOf } from './webhook-provider.contract.js';

const provider = new GorgiasProvider();

describeWebhookProvider('GorgiasProvider', {
  provider,
  keys: [
    { signWith: 'gorgias-secret-1', verifyWith: 'gorgias-secret-1' },
    { signWith: 'gorgias-secret-2', verifyWith: 'gorgias-secret-2' },
  ],
  signatureHeader: 'X-Gorgias-Signature',
  signsTime: false,
  id: { path: ['webhook_id'] },
  type: { path: ['event_type'] },
  freelyTyped: true,
});

const identify = (payload: JsonObject, payloadHash = PAYLOAD_HASH, topic?: string) =>
  provider.identify(incomingWebhook({}, Buffer.from(''), topic), payload, payloadHash);

describe('Gorgias webhooks', () => {
  it('are signed with HMAC-SHA256 of the body in hex', () => {
    const body = Buffer.from('{"webhook_id":1}');
    const signature = createHmac('sha256', 'secret').update(body).digest('hex');
    const webhook = incomingWebhook({ 'X-Gorgias-Signature': signature }, body);
    expect(provider.verify(webhook, [{ id: 'k', value: 'secret' }]).secretId).toBe('k');
  });

  it('are told apart by content, because a webhook id is used again', () => {
    const payload = { webhook_id: 'wh_1', event_type: 'ticket-created' };
    expect(identify(payload, 'b'.repeat(64)).eventId).toBe(`wh_1:${'b'.repeat(64)}`);
    expect(identify(payload, 'c'.repeat(64)).eventId).toBe(`wh_1:${'c'.repeat(64)}`);
  });

  it.each<[JsonObject, string]>([
    [{ webhook_id: 'wh_1', id: 'other' }, 'wh_1'],
    [{ id: 'wh_2' }, 'wh_2'],
    [{ webhook_id: null, id: 42 }, '42'],
    [{ webhook_id: 12345678901234567890n }, '12345678901234567890'],
  ])('take their id from %o', (payload, id) => {
    expect(identify({ ...payload, event_type: 'x' }).eventId).toBe(`${id}:${PAYLOAD_HASH}`);
  });

  it('take their type from the body, else from the path', () => {
    expect(identify({ id: 1, event_type: 'ticket-created' }, PAYLOAD_HASH, 'ticket').eventType).toBe('ticket-created');
    expect(identify({ id: 1 }, PAYLOAD_HASH, 'ticket').eventType).toBe('ticket');
    expect(identify({ id: 1, event_type: '' }, PAYLOAD_HASH, 'ticket').eventType).toBe('ticket');
    expect(identify({ id: 1 }).eventType).toBe('untyped');
  });

  it('take their type from where the source says it is', () => {
    const webhook = incomingWebhook({ 'X-Trigger': 'ticket-closed' }, Buffer.from(''), 'ticket');
    const typeOf = (typePlace: TypePlace) =>
      provider.identify(webhook, { id: 1, event_type: 'x', what: 'y' }, PAYLOAD_HASH, undefined, typePlace).eventType;
    expect(typeOf({ typeHeader: 'X-Trigger' })).toBe('ticket-closed');
    expect(typeOf({ typePath: 'what' })).toBe('y');
    expect(typeOf({ typePath: 'none' })).toBe('x');
  });

  it('are taken for a resend for as long as Gorgias may send again, not for good', () => {
    expect(identify({ id: 1 }).memorySeconds).toBe(6 * 3600);
  });

  it('refuse an id that is too long with the payload hash behind it', () => {
    expect(identify({ id: 'x'.repeat(190), event_type: 'x' }).eventId).toHaveLength(255);
    expect(refusalOf(() => identify({ id: 'x'.repeat(191), event_type: 'x' }))).toMatchObject({ status: 400 });
  });

  it('are ordered by their ticket', () => {
    expect(identify({ id: 1, event_type: 'x', ticket: { id: 7 } }).orderingKey).toBe('7');
    expect(identify({ id: 1, event_type: 'x', ticket_id: '8' }).orderingKey).toBe('8');
  });
});

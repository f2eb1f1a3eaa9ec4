import * as fc from 'fast-check';
import { Stripe } from 'stripe';
import { describe, expect, it } from '@jest/globals';
import type { JsonObject } from '../../../kernel/exact-json.js';
import { StripeProvider } from './stripe.provider.js';
import { describeWebhookProvider, incomingWebhook, PAYLOAD_HASH, refusalOf } from './webhook-provider.contract.js';

const SECRET = 'whsec_3f1c9a2b7d';
const TIMESTAMP = 1_700_000_000;
const body = Buffer.from('{"id":"evt_1","type":"payment_intent.succeeded"}');
const provider = new StripeProvider();
const { webhooks } = new Stripe('sk_test_unused');

describeWebhookProvider('StripeProvider', {
  provider,
  keys: [
    { signWith: SECRET, verifyWith: SECRET },
    { signWith: 'whsec_another', verifyWith: 'whsec_another' },
  ],
  signatureHeader: 'Stripe-Signature',
  signsTime: true,
  id: { path: ['id'] },
  type: { path: ['type'] },
});

const verify = (header: string, rawBody = body) =>
  provider.verify(incomingWebhook({ 'Stripe-Signature': header }, rawBody), [{ id: 'current', value: SECRET }]);
const v1 = (timestamp: string | number = TIMESTAMP, rawBody = body) =>
  webhooks.generateTestHeaderString({ payload: rawBody.toString(), secret: SECRET, timestamp: Number(timestamp) }).split('v1=')[1] ?? ''; // prettier-ignore

describe('Stripe signatures', () => {
  it('accepts what the official library signs', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme', minLength: 1 }),
        fc.integer({ min: 1, max: 4e9 }),
        (payload, timestamp) => {
          const header = webhooks.generateTestHeaderString({ payload, secret: SECRET, timestamp });
          expect(verify(header, Buffer.from(payload))).toEqual({ secretId: 'current', signedAt: timestamp });
        },
      ),
    );
  });

  it('signs what the official library accepts', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.integer({ min: 1, max: 4e9 }), (value, timestamp) => {
        const payload = Buffer.from(JSON.stringify({ value }));
        const header = provider.sign({ body: payload, eventId: 'evt_1', eventType: 'x', timestamp }, SECRET);
        const event = webhooks.constructEvent(
          payload,
          header['Stripe-Signature'] ?? '',
          SECRET,
          300,
          undefined,
          timestamp * 1000,
        );
        expect(event).toEqual(JSON.parse(payload.toString()));
      }),
    );
  });

  it.each([
    ['the right signature last of several', `t=${TIMESTAMP},v1=${'0'.repeat(64)},v1=${v1()}`],
    ['the right signature first of several', `t=${TIMESTAMP},v1=${v1()},v1=${'0'.repeat(64)}`],
    ['a malformed signature beside the right one', `t=${TIMESTAMP},v1=abc,v1=${v1()}`],
    ['the time after the signature', `v1=${v1()},t=${TIMESTAMP}`],
    ['schemes it does not know', `v0=${'0'.repeat(64)},t=${TIMESTAMP},v2=x,v1=${v1()},nonsense,=,`],
    ['a signature in capitals', `t=${TIMESTAMP},v1=${v1().toUpperCase()}`],
    ['a time long past', `t=1,v1=${v1(1)}`],
  ])('accepts %s', (_, header) => {
    expect(verify(header).secretId).toBe('current');
  });

  it.each([
    ['no time', `v1=${v1()}`],
    ['an empty time', `t=,v1=${v1()}`],
    ['a time without a value', `t,v1=${v1()}`],
    ['a time that is not a number', `t=now,v1=${v1()}`],
    ['an infinite time', `t=Infinity,v1=${v1()}`],
    ['a fractional time', `t=${TIMESTAMP}.5,v1=${v1()}`],
    ['a negative time', `t=-${TIMESTAMP},v1=${v1()}`],
    ['an exponent', `t=17e8,v1=${v1()}`],
    ['a hexadecimal time', `t=0x6553f100,v1=${v1()}`],
    ['a leading zero', `t=0${TIMESTAMP},v1=${v1()}`],
    ['a space before the time', `t= ${TIMESTAMP},v1=${v1()}`],
    ['an equals sign after the time', `t=${TIMESTAMP}=,v1=${v1()}`],
    ['a time of 4000 digits', `t=${'1'.repeat(4000)},v1=${v1()}`],
    ['two times', `t=${TIMESTAMP},t=${TIMESTAMP},v1=${v1()}`],
    ['no v1 signature', `t=${TIMESTAMP},v0=${v1()}`],
    ['an empty v1 signature', `t=${TIMESTAMP},v1=`],
    ['a v1 signature of 62 digits', `t=${TIMESTAMP},v1=${v1().slice(2)}`],
    ['only separators', ',,,'],
  ])('refuses %s as malformed', (_, header) => {
    expect(refusalOf(() => verify(header))).toMatchObject({ status: 401, reason: 'malformed' });
  });

  it.each([
    ['an older time', `t=${TIMESTAMP - 1},v1=${v1()}`],
    ['the right signature under the test scheme only', `t=${TIMESTAMP},v0=${v1()},v1=${'0'.repeat(64)}`],
  ])('refuses %s as no match', (_, header) => {
    expect(refusalOf(() => verify(header))).toMatchObject({ status: 401, reason: 'mismatch' });
  });
});

describe('Stripe events', () => {
  const identify = (payload: JsonObject) =>
    provider.identify(incomingWebhook({}, body), { id: 'evt_1', type: 'x.y', ...payload });

  it('orders the parts of a payment by its payment intent and everything else by its object', () => {
    const keyOf = (object: JsonObject) => identify({ data: { object } }).orderingKey;
    expect(keyOf({ id: 'pi_1', object: 'payment_intent' })).toBe('pi_1');
    expect(keyOf({ id: 'ch_1', object: 'charge', payment_intent: 'pi_1' })).toBe('pi_1');
    expect(keyOf({ id: 're_1', object: 'refund', payment_intent: 'pi_1' })).toBe('pi_1');
    expect(keyOf({ id: 'dp_1', object: 'dispute', payment_intent: 'pi_1' })).toBe('pi_1');
    expect(keyOf({ id: 'ch_1', object: 'charge', payment_intent: null })).toBe('ch_1');
    expect(keyOf({ id: 'cs_1', object: 'checkout.session', payment_intent: 'pi_1' })).toBe('cs_1');
  });

  it('does without an ordering key when there is no object or its id is unusable', () => {
    expect(identify({}).orderingKey).toBeUndefined();
    expect(identify({ data: null }).orderingKey).toBeUndefined();
    expect(identify({ data: { object: { id: '' } } }).orderingKey).toBeUndefined();
    expect(identify({ data: { object: { id: 'x'.repeat(256) } } }).orderingKey).toBeUndefined();
    expect(identify({ data: { object: { id: 'a\u0000b' } } }).orderingKey).toBeUndefined();
  });

  it('knows when it happened, in milliseconds', () => {
    expect(identify({ created: TIMESTAMP }).occurredAt).toBe(TIMESTAMP * 1000);
  });

  it.each([undefined, null, 'soon', -1, 1.0001, 253402300800, 1e300, 12345678901234567890n, true])(
    'ignores an unusable time: %s',
    (created) => {
      expect(identify(created === undefined ? {} : { created }).occurredAt).toBeUndefined();
    },
  );

  it('reads thin events', () => {
    const created = '2024-09-17T06:20:52.246Z';
    expect(identify({ created, related_object: { id: 'mtr_1' } })).toMatchObject({
      orderingKey: 'mtr_1',
      occurredAt: Date.parse(created),
    });
  });

  it('does not need a payload hash', () => {
    expect(identify({ id: 'evt_9' }).eventId).toBe('evt_9');
    expect(identify({ id: 'evt_9' }).eventId).not.toContain(PAYLOAD_HASH);
  });

  it.each([
    ['payment_intent.succeeded', 'payment_intent', 'pi_'],
    ['charge.refunded', 'charge', 'pi_'],
    ['customer.created', 'customer', 'cus_'],
    ['issuing_card.created', 'issuing_card', 'obj_'],
  ])('has a sample of %s', (eventType, object, orderingPrefix) => {
    const sample = provider.sample(eventType, 'evt_1', TIMESTAMP);
    expect(sample.body).toMatchObject({ id: 'evt_1', object: 'event', type: eventType, data: { object: { object } } });
    expect(identify(sample.body).orderingKey).toMatch(new RegExp(`^${orderingPrefix}`));
  });
});

describe('comparing Stripe bodies', () => {
  const comparable = (text: string) => provider.comparableBody(Buffer.from(text)).toString();

  it('makes a redelivery equal to the first delivery', () => {
    const first = '{"id":"evt_1","pending_webhooks": 2,"type":"x"}';
    const second = '{"id":"evt_1","pending_webhooks": 10,"type":"x"}';
    expect(comparable(first)).toBe(comparable(second));
    expect(comparable('{\n  "pending_webhooks" :\n 1\n}')).toBe(comparable('{\n  "pending_webhooks" :\n 0\n}'));
  });

  it('keeps every other difference', () => {
    const text = '{"amount":2000,"pending_webhooks":2,"note":"é"}';
    expect(comparable(text)).not.toBe(comparable(text.replace('2000', '2001')));
    expect(comparable(text)).toBe('{"amount":2000,"pending_webhooks":,"note":"é"}');
  });

  it('keeps bytes that are not UTF-8', () => {
    const bytes = Buffer.concat([
      Buffer.from('{"pending_webhooks":1,"x":"'),
      Buffer.from([0xff, 0x80]),
      Buffer.from('"}'),
    ]);
    expect(provider.comparableBody(bytes).includes(Buffer.from([0xff, 0x80]))).toBe(true);
  });

  it.each(['{"note":"\\"pending_webhooks\\":3"}', '{"note":"pending_webhooks"}', '{"pending_webhooks":"3"}'])(
    'leaves what is not the counter alone: %s',
    (text) => {
      expect(comparable(text)).toBe(text);
    },
  );
});

describe('Stripe secrets', () => {
  it('must have at least 8 characters', () => {
    expect(() => provider.checkSecret('whsec_1')).toThrow(/at least 8/);
    expect(() => provider.checkSecret('whsec_12')).not.toThrow();
  });
});

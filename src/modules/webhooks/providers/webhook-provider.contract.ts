import * as fc from 'fast-check';
import { describe, expect, it } from '@jest/globals';
import { AppError, ValidationError } from '../../../kernel/app-error.js';
import {
  isJsonObject,
  isStorableAsJsonb,
  parseExactJson,
  stringifyExactJson,
  type JsonObject,
  type JsonValue,
} from '../../../kernel/exact-json.js';
import { UNTYPED } from './event-identity.js';
import { WebhookEventIdentityError } from './webhook-event-identity.error.js';
import type { HmacScheme, IncomingWebhook, OutgoingWebhook, WebhookProvider } from './webhook-provider.js';
import { WebhookSignatureInvalidError, WebhookSignatureMissingError } from './webhook-signature.errors.js';

/** The same text for both, unless the provider signs with a private key. */
export interface SigningKey {
  signWith: string;
  verifyWith: string;
}

/** Where a part of the identity is read from: a header, or a path into the body. */
export type IdentitySource = { header: string } | { path: readonly string[] };

export interface WebhookProviderSubject {
  provider: WebhookProvider;
  keys: readonly [SigningKey, SigningKey];
  signatureHeader: string;
  /** Other headers that `verify` cannot do without. */
  alsoSigned?: readonly string[];
  /** Whether `verify` reports when the webhook was signed. */
  signsTime: boolean;
  id: IdentitySource;
  type: IdentitySource;
  /** True where an event need not say what type it is: it is `untyped` then. Elsewhere it is refused. */
  freelyTyped?: boolean;
  scheme?: HmacScheme;
  /** Instead of the provider's own, for a scheme whose sample differs. */
  sample?: WebhookProvider['sample'];
}

const TIMESTAMP = 1_700_000_000;
export const PAYLOAD_HASH = 'a'.repeat(64);

/** A webhook off the wire with these headers. */
export function incomingWebhook(headers: Record<string, string>, rawBody: Buffer, topic?: string): IncomingWebhook {
  return { headers: {}, rawHeaders: Object.entries(headers).flat(), rawBody, topic };
}

/** What `act` throws. */
export function refusalOf(act: () => unknown): unknown {
  try {
    act();
  } catch (error) {
    return error;
  }
  return undefined;
}

/** What every adapter promises its callers, whatever the provider. */
export function describeWebhookProvider(name: string, subject: WebhookProviderSubject): void {
  const { provider, scheme, signatureHeader } = subject;
  const sampleOf: WebhookProvider['sample'] = subject.sample ?? ((...args) => provider.sample(...args));
  const signedHeaders = [signatureHeader, ...(subject.alsoSigned ?? [])];
  const [key, otherKey] = subject.keys;
  const accepted = [{ id: 'current', value: key.verifyWith }];

  const outgoing = (body: Buffer): OutgoingWebhook => ({
    body,
    eventId: 'evt_contract_1',
    eventType: 'contract.tested',
    timestamp: TIMESTAMP,
  });
  const signed = (body: Buffer) => provider.sign(outgoing(body), key.signWith, scheme);
  const verify = (webhook: IncomingWebhook, secrets = accepted) => provider.verify(webhook, secrets, scheme);
  const body = Buffer.from('{"hello":"world"}');
  const signature = signed(body)[signatureHeader] ?? '';
  const withSignature = (value: string) => incomingWebhook({ ...signed(body), [signatureHeader]: value }, body);

  describe(`${name} honours the provider contract: verify`, () => {
    it('accepts what it signed, over any bytes at all', () => {
      fc.assert(
        fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
          const anyBody = Buffer.from(bytes);
          expect(verify(incomingWebhook(signed(anyBody), anyBody))).toEqual({
            secretId: 'current',
            signedAt: subject.signsTime ? TIMESTAMP : undefined,
          });
        }),
      );
    });

    it('tells bodies apart that are the same text once invalid UTF-8 is decoded', () => {
      const [sent, received] = [Buffer.from([0x22, 0xff, 0x22]), Buffer.from([0x22, 0xfe, 0x22])];
      expect(sent.toString()).toBe(received.toString());
      expectMismatch(() => verify(incomingWebhook(signed(sent), received)));
    });

    it('refuses a body with any one bit changed', () => {
      fc.assert(
        fc.property(fc.uint8Array({ minLength: 1, maxLength: 300 }), fc.nat(), fc.nat(7), (bytes, at, bit) => {
          const original = Buffer.from(bytes);
          const changed = Buffer.from(bytes);
          changed.writeUInt8(changed.readUInt8(at % changed.length) ^ (1 << bit), at % changed.length);
          expectMismatch(() => verify(incomingWebhook(signed(original), changed)));
        }),
      );
    });

    it('refuses a body that is longer or shorter by one byte', () => {
      expectMismatch(() => verify(incomingWebhook(signed(body), Buffer.concat([body, Buffer.from(' ')]))));
      expectMismatch(() => verify(incomingWebhook(signed(body), body.subarray(0, -1))));
    });

    it('refuses a signature made with another secret', () => {
      expectMismatch(() => verify(incomingWebhook(provider.sign(outgoing(body), otherKey.signWith, scheme), body)));
    });

    it('reports which of several secrets matched', () => {
      const rotated = [
        { id: 'next', value: otherKey.verifyWith },
        { id: 'current', value: key.verifyWith },
      ];
      expect(verify(incomingWebhook(signed(body), body), rotated).secretId).toBe('current');
      expect(verify(incomingWebhook(signed(body), body), rotated.toReversed()).secretId).toBe('current');
    });

    it('refuses everything when the source has no active secret', () => {
      expectMismatch(() => verify(incomingWebhook(signed(body), body), []));
    });

    it('refuses a signature header with any one character changed', () => {
      fc.assert(
        fc.property(fc.nat(signature.length - 1), fc.constantFrom(...'09afzA+/=,. '), (at, character) => {
          const changed = signature.slice(0, at) + character + signature.slice(at + 1);
          fc.pre(changed.toLowerCase() !== signature.toLowerCase());
          expect(refusalOf(() => verify(withSignature(changed)))).toBeInstanceOf(WebhookSignatureInvalidError);
        }),
      );
    });

    it('refuses a signature cut off anywhere, or with something after it', () => {
      for (let length = 1; length < signature.length; length++) {
        const refusal = refusalOf(() => verify(withSignature(signature.slice(0, length))));
        expect(refusal).toBeInstanceOf(WebhookSignatureInvalidError);
      }
      expect(refusalOf(() => verify(withSignature(`${signature}0`)))).toBeInstanceOf(WebhookSignatureInvalidError);
      expect(refusalOf(() => verify(withSignature(`${signature}00`)))).toBeInstanceOf(WebhookSignatureInvalidError);
    });

    it.each([
      'not a signature',
      '*'.repeat(signature.length),
      'é'.repeat(64),
      '='.repeat(200),
      '\u0000',
      'x'.repeat(16_000),
    ])('refuses a header that is no signature at all as malformed: %.20s', (value) => {
      expect(refusalOf(() => verify(withSignature(value)))).toMatchObject({
        code: 'WEBHOOK_SIGNATURE_INVALID',
        status: 401,
        reason: 'malformed',
        header: signatureHeader,
      });
    });

    it.each(signedHeaders)('refuses a webhook whose %s header is absent or empty', (header) => {
      const headers = signed(body);
      const emptied = refusalOf(() => verify(incomingWebhook({ ...headers, [header]: '' }, body)));
      delete headers[header];
      const absent = refusalOf(() => verify(incomingWebhook(headers, body)));
      for (const refusal of [emptied, absent]) {
        expect(refusal).toBeInstanceOf(WebhookSignatureMissingError);
        expect(refusal).toMatchObject({ code: 'WEBHOOK_SIGNATURE_MISSING', status: 401, reason: 'missing' });
      }
      expect(emptied).toMatchObject({ header });
    });

    it.each(signedHeaders)(
      'refuses a webhook whose %s header comes twice, even with the same value and in another case',
      (header) => {
        const headers = signed(body);
        for (const again of [headers[header] ?? '', 'something else']) {
          const webhook = incomingWebhook(headers, body);
          webhook.rawHeaders = [...webhook.rawHeaders, header.toUpperCase(), again];
          expect(refusalOf(() => verify(webhook))).toMatchObject({
            code: 'WEBHOOK_SIGNATURE_INVALID',
            status: 401,
            reason: 'duplicate',
          });
        }
      },
    );

    it('reads header names in any case', () => {
      const headers = Object.entries(signed(body)).map(([header, value]) => [header.toUpperCase(), value]);
      expect(verify(incomingWebhook(Object.fromEntries(headers), body)).secretId).toBe('current');
    });

    it('does not take a value for a name', () => {
      const webhook = incomingWebhook({ 'X-First': signatureHeader, ...signed(body), 'X-Last': signatureHeader }, body);
      expect(verify(webhook).secretId).toBe('current');
      const unsigned = incomingWebhook({ 'X-First': signatureHeader, [signature]: 'x' }, body);
      expect(refusalOf(() => verify(unsigned))).toMatchObject({ reason: 'missing' });
    });

    it('never tells the right signature or a secret', () => {
      const forged = incomingWebhook(provider.sign(outgoing(body), otherKey.signWith, scheme), body);
      const refusal = refusalOf(() => verify(forged));
      expect(refusal).toBeInstanceOf(AppError);
      const shown = refusal instanceof AppError ? `${refusal.message} ${JSON.stringify(refusal)}` : '';
      expect(shown).not.toContain(signature.slice(-40));
      expect(shown).not.toContain(key.verifyWith);
    });
  });

  describe(`${name} honours the provider contract: identify`, () => {
    const { eventType, body: sample } = sampleOf(undefined, 'evt_sample_1', TIMESTAMP);
    const identify = (id: JsonValue | undefined, type: JsonValue | undefined) => {
      const rawBody = Buffer.from(stringifyExactJson(sample));
      const headers = provider.sign(
        { body: rawBody, eventId: 'evt_1', eventType, timestamp: TIMESTAMP },
        key.signWith,
        scheme,
      );
      const payload = copyOf(sample);
      place(subject.id, id, headers, payload);
      place(subject.type, type, headers, payload);
      return provider.identify(incomingWebhook(headers, rawBody), payload, PAYLOAD_HASH, scheme);
    };

    it('takes id and type from where the provider puts them', () => {
      const { eventId, eventType: type } = identify('id_from_the_wire', 'type.from.the.wire');
      expect(eventId).toContain('id_from_the_wire');
      expect(type).toBe('type.from.the.wire');
    });

    it('gives the same event the same id, and another id to another event', () => {
      expect(identify('one', 'some.type')).toEqual(identify('one', 'some.type'));
      expect(identify('two', 'some.type').eventId).not.toBe(identify('one', 'some.type').eventId);
    });

    const UNUSABLE: [string, JsonValue | undefined][] = [
      ['missing', undefined],
      ['empty', ''],
      ['blank', '   '],
      ['256 characters long', 'x'.repeat(256)],
      ['10 kB long', 'x'.repeat(10_000)],
      ['with a NUL character', 'evt\u0000'],
      ['with a line break', 'evt\n1'],
      ['with half a surrogate pair', 'evt\ud83d'],
    ];
    const refused = (act: () => unknown) => {
      const refusal = refusalOf(act);
      expect(refusal).toBeInstanceOf(WebhookEventIdentityError);
      expect(refusal).toMatchObject({ code: 'WEBHOOK_EVENT_ID_INVALID', status: 400 });
    };

    it.each(UNUSABLE)('refuses an event whose id is %s', (_, value) => {
      // A charge is named by its id at every provider that has charges.
      refused(() => identify(value, 'charge.success'));
    });

    it.each(UNUSABLE)(
      `${subject.freelyTyped ? 'takes for untyped' : 'refuses'} an event whose type is %s`,
      (_, value) => {
        if (subject.freelyTyped) expect(identify('evt_1', value)).toMatchObject({ eventType: UNTYPED });
        else refused(() => identify('evt_1', value));
      },
    );

    it('names the missing part', () => {
      expect(refusalOf(() => identify(undefined, 'charge.success'))).toMatchObject({ part: expectedPart(subject.id) });
      if (subject.freelyTyped) return;
      expect(refusalOf(() => identify('evt_1', undefined))).toMatchObject({ part: expectedPart(subject.type) });
    });
  });

  describe(`${name} honours the provider contract: samples, comparison, secrets`, () => {
    it.each([undefined, 'contract.tested'])('makes a sample of type %s that can be sent and identified', (wanted) => {
      const { eventType, body: sample } = sampleOf(wanted, 'evt_sample_1', TIMESTAMP);
      const text = stringifyExactJson(sample);
      const rawBody = Buffer.from(text);
      const headers = provider.sign(
        { body: rawBody, eventId: 'evt_sample_1', eventType, timestamp: TIMESTAMP },
        key.signWith,
        scheme,
      );
      const webhook = incomingWebhook(headers, rawBody);
      const payload = parseExactJson(text);

      expect(verify(webhook).secretId).toBe('current');
      expect(isStorableAsJsonb(text)).toBe(true);
      expect(payload).toEqual(sample);
      const identity = isJsonObject(payload) ? provider.identify(webhook, payload, PAYLOAD_HASH, scheme) : undefined;
      expect(identity?.eventType).toBe(eventType);
      expect(eventType).toBe(wanted ?? eventType);
      expect(identity?.eventId).toMatch(/evt_sample_1|a{64}/);
    });

    it('makes samples of different events about different things, so that they need not queue', () => {
      const textOf = (eventId: string) => stringifyExactJson(sampleOf(undefined, eventId, TIMESTAMP).body);
      expect(textOf('evt_sample_1')).not.toBe(textOf('evt_sample_2'));
      expect(textOf('evt_sample_1')).toBe(textOf('evt_sample_1'));
    });

    it('compares ordinary bodies as they are', () => {
      expect(provider.comparableBody(body)).toBe(body);
    });

    it('takes the secrets it verifies with', () => {
      expect(() => provider.checkSecret(key.verifyWith)).not.toThrow();
      expect(() => provider.checkSecret(otherKey.verifyWith)).not.toThrow();
    });

    it.each([
      ['empty', ''],
      ['longer than 512 characters', `${key.verifyWith}${'A'.repeat(512)}`],
      ['followed by a line break', `${key.verifyWith}\n`],
      ['preceded by a space', ` ${key.verifyWith}`],
    ])('refuses a secret that is %s, without quoting it', (_, secret) => {
      const refusal = refusalOf(() => provider.checkSecret(secret));
      expect(refusal).toBeInstanceOf(ValidationError);
      expect(refusal).toMatchObject({ details: { errors: [{ path: 'secret' }] } });
      expect(refusal instanceof AppError && JSON.stringify(refusal) + refusal.message).not.toContain(key.verifyWith);
    });
  });
}

function expectMismatch(act: () => unknown): void {
  const refusal = refusalOf(act);
  expect(refusal).toBeInstanceOf(WebhookSignatureInvalidError);
  expect(refusal).toMatchObject({ code: 'WEBHOOK_SIGNATURE_INVALID', status: 401, reason: 'mismatch' });
}

function expectedPart(source: IdentitySource) {
  if ('header' in source) return source.header;
  return expect.stringContaining(source.path.join('.'));
}

function copyOf(value: JsonObject): JsonObject {
  const copy = parseExactJson(stringifyExactJson(value));
  return isJsonObject(copy) ? copy : {};
}

function place(
  source: IdentitySource,
  value: JsonValue | undefined,
  headers: Record<string, string>,
  payload: JsonObject,
) {
  if ('header' in source) {
    if (typeof value === 'string') headers[source.header] = value;
    else delete headers[source.header];
    return;
  }
  const key = source.path.at(-1) ?? '';
  let parent = payload;
  for (const step of source.path.slice(0, -1)) {
    const child = parent[step];
    if (isJsonObject(child)) parent = child;
  }
  if (value === undefined) delete parent[key];
  else parent[key] = value;
}

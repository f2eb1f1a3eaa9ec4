import { generateKeyPairSync, sign } from 'node:crypto';
import * as fc from 'fast-check';
import { Webhook } from 'standardwebhooks';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { ValidationError } from '../../../kernel/app-error.js';
import type { JsonObject } from '../../../kernel/exact-json.js';
import { standardKey } from './standard-key.js';
import { StandardProvider } from './standard.provider.js';
import { describeWebhookProvider, incomingWebhook, refusalOf } from './webhook-provider.contract.js';

const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
const TIMESTAMP = 1_700_000_000;
const provider = new StandardProvider();
const SIGNED = {
  signatureHeader: 'webhook-signature',
  alsoSigned: ['webhook-id', 'webhook-timestamp'],
  signsTime: true,
  id: { header: 'webhook-id' },
  type: { path: ['type'] },
  freelyTyped: true,
} as const;

function ed25519Key() {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const raw = publicKey.export({ format: 'der', type: 'spki' }).subarray(-32);
  const seed = privateKey.export({ format: 'der', type: 'pkcs8' }).subarray(-32);
  return {
    privateKey,
    verifyWith: `whpk_${raw.toString('base64')}`,
    signWith: `whsk_${Buffer.concat([seed, raw]).toString('base64')}`,
    signWithSeed: `whsk_${seed.toString('base64')}`,
  };
}
const ed25519 = ed25519Key();

describeWebhookProvider('StandardProvider with a shared secret', {
  ...SIGNED,
  provider,
  keys: [
    { signWith: SECRET, verifyWith: SECRET },
    { signWith: 'whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD', verifyWith: 'whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD' },
  ],
});

describeWebhookProvider('StandardProvider with ed25519', { ...SIGNED, provider, keys: [ed25519, ed25519Key()] });

const body = Buffer.from('{"type":"user.created"}');
const headersOf = (secret = SECRET) =>
  provider.sign({ body, eventId: 'msg_1', eventType: 'user.created', timestamp: TIMESTAMP }, secret);
const signatureOf = (secret = SECRET) => headersOf(secret)['webhook-signature'] ?? '';
const verify = (headers: Record<string, string>, ...secrets: string[]) =>
  provider.verify(
    incomingWebhook(headers, body),
    (secrets.length > 0 ? secrets : [SECRET]).map((value) => ({ id: value.slice(0, 5), value })),
  );
const withSignature = (value: string) => ({ ...headersOf(), 'webhook-signature': value });
const withTime = (value: string) => ({ ...headersOf(), 'webhook-timestamp': value });

describe('Standard Webhooks and the official library', () => {
  beforeEach(() => void jest.useFakeTimers({ now: TIMESTAMP * 1000 }));
  afterEach(() => void jest.useRealTimers());

  const messageId = fc.stringMatching(/^msg_[A-Za-z0-9]{1,40}$/);
  const official = new Webhook(SECRET);

  it('accept what it signs', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), messageId, (payload, id) => {
        const headers = {
          'webhook-id': id,
          'webhook-timestamp': String(TIMESTAMP),
          'webhook-signature': official.sign(id, new Date(TIMESTAMP * 1000), payload),
        };
        const webhook = incomingWebhook(headers, Buffer.from(payload));
        expect(provider.verify(webhook, [{ id: 'k', value: SECRET }])).toEqual({ secretId: 'k', signedAt: TIMESTAMP });
      }),
    );
  });

  it('sign what it accepts', () => {
    fc.assert(
      fc.property(fc.jsonValue(), messageId, (value, eventId) => {
        const payload = Buffer.from(JSON.stringify({ value }));
        const headers = provider.sign({ body: payload, eventId, eventType: 'x', timestamp: TIMESTAMP }, SECRET);
        expect(official.verify(payload, headers)).toEqual(JSON.parse(payload.toString()));
      }),
    );
  });
});

describe('Standard Webhooks signatures', () => {
  const zeros = Buffer.alloc(32).toString('base64');

  it.each([
    ['the right one last of several', `v1,${zeros} ${signatureOf()}`],
    ['the right one first of several', `${signatureOf()} v1,${zeros}`],
    ['versions it does not know', `v2,abc v1b,${zeros} ${signatureOf()} v1 v1, ,`],
    ['ed25519 ones beside it', `${signatureOf(ed25519.signWith)} ${signatureOf()}`],
  ])('accept %s', (_, value) => {
    expect(verify(withSignature(value)).secretId).toBe('whsec');
  });

  it('accept a sender that changes from a shared secret to ed25519', () => {
    const both = withSignature(`${signatureOf()} ${signatureOf(ed25519.signWith)}`);
    expect(verify(both, ed25519.verifyWith).secretId).toBe('whpk_');
    expect(verify(both, SECRET).secretId).toBe('whsec');
  });

  it('are those of plain ed25519 over id, time and body', () => {
    const signature = sign(null, Buffer.from(`msg_1.${TIMESTAMP}.${body.toString()}`), ed25519.privateKey);
    const header = `v1a,${signature.toString('base64')}`;
    expect(verify(withSignature(header), ed25519.verifyWith).secretId).toBe('whpk_');
    expect(signatureOf(ed25519.signWith)).toBe(header);
    expect(signatureOf(ed25519.signWithSeed)).toBe(header);
  });

  it('never match a public key used as a shared secret', () => {
    const forged = signatureOf(`whsec_${ed25519.verifyWith.slice('whpk_'.length)}`);
    expect(refusalOf(() => verify(withSignature(forged), ed25519.verifyWith))).toMatchObject({ reason: 'mismatch' });
  });

  it('match nothing when the version does not fit the kind of key', () => {
    const relabelled = signatureOf().replace('v1,', 'v1a,');
    expect(refusalOf(() => verify(withSignature(relabelled)))).toMatchObject({ reason: 'malformed' });
    const asymmetric = signatureOf(ed25519.signWith);
    expect(refusalOf(() => verify(withSignature(asymmetric)))).toMatchObject({ reason: 'mismatch' });
    expect(refusalOf(() => verify(headersOf(), ed25519.verifyWith))).toMatchObject({ reason: 'mismatch' });
  });

  it('bind the message id and the time', () => {
    expect(refusalOf(() => verify({ ...headersOf(), 'webhook-id': 'msg_2' }))).toMatchObject({ reason: 'mismatch' });
    expect(refusalOf(() => verify(withTime(String(TIMESTAMP + 1))))).toMatchObject({ reason: 'mismatch' });
  });

  it('are refused beyond four of ed25519, which cost too much to try', () => {
    const wrong = `v1a,${Buffer.alloc(64, 1).toString('base64')}`;
    const right = signatureOf(ed25519.signWith);
    expect(verify(withSignature([wrong, wrong, wrong, right].join(' ')), ed25519.verifyWith).secretId).toBe('whpk_');
    const five = withSignature([wrong, wrong, wrong, wrong, right].join(' '));
    expect(refusalOf(() => verify(five, ed25519.verifyWith))).toMatchObject({ reason: 'malformed' });
  });

  it.each(['', ' ', 'now', 'Infinity', '1e9', '-1', '1.5', `0${TIMESTAMP}`, `${TIMESTAMP} `, '9'.repeat(13)])(
    'are refused with a time of "%s"',
    (time) => {
      expect(refusalOf(() => verify(withTime(time)))).toMatchObject({
        status: 401,
        reason: time ? 'malformed' : 'missing',
      });
    },
  );
});

describe('Svix header names', () => {
  const svix = () =>
    Object.fromEntries(Object.entries(headersOf()).map(([name, value]) => [name.replace('webhook-', 'svix-'), value]));

  it('are read as one set', () => {
    expect(verify(svix())).toEqual({ secretId: 'whsec', signedAt: TIMESTAMP });
    expect(provider.identify(incomingWebhook(svix(), body), { type: 'x' }).eventId).toBe('msg_1');
  });

  it('are ignored beside a complete standard set', () => {
    const headers = { ...svix(), ...headersOf(), 'svix-id': 'msg_forged' };
    expect(verify(headers).secretId).toBe('whsec');
    expect(provider.identify(incomingWebhook(headers, body), { type: 'x' }).eventId).toBe('msg_1');
  });

  it('are used when the standard set is not complete, for the id too', () => {
    const headers = { ...svix(), 'webhook-id': 'msg_forged' };
    expect(verify(headers).secretId).toBe('whsec');
    expect(provider.identify(incomingWebhook(headers, body), { type: 'x' }).eventId).toBe('msg_1');
  });

  it.each(['id', 'timestamp', 'signature'])('are never mixed with standard ones: svix-%s', (name) => {
    const headers = headersOf();
    headers[`svix-${name}`] = headers[`webhook-${name}`] ?? '';
    delete headers[`webhook-${name}`];
    expect(refusalOf(() => verify(headers))).toMatchObject({ status: 401, reason: 'missing' });
  });
});

describe('Standard Webhooks events', () => {
  it('are ordered by their entity and dated by their body', () => {
    const payload = { type: 'x', timestamp: '2022-11-03T20:26:10.344522Z', data: { id: 'user_1' } };
    expect(provider.identify(incomingWebhook(headersOf(), body), payload)).toEqual({
      eventId: 'msg_1',
      eventType: 'x',
      orderingKey: 'user_1',
      occurredAt: Date.UTC(2022, 10, 3, 20, 26, 10, 344),
    });
  });
});

describe('The type of Standard Webhooks', () => {
  const typeOf = (payload: JsonObject, typePlace = {}, headers = {}) =>
    provider.identify(incomingWebhook({ ...headersOf(), ...headers }, body), payload, '', undefined, typePlace)
      .eventType;

  it.each<[JsonObject, string]>([
    [{ type: 'a', event_type: 'b', event: 'c' }, 'a'],
    [{ event_type: 'b', event: 'c' }, 'b'],
    [{ event: 'c' }, 'c'],
    [{ type: 7 }, '7'],
    [{ type: { name: 'a' }, event_type: ' ', event: 'c' }, 'c'],
    [{ type: 'x'.repeat(256), event: ['c'] }, 'untyped'],
    [{ type: null, event: true }, 'untyped'],
    [{ test: 2432232314 }, 'untyped'],
    [{}, 'untyped'],
  ])('is guessed from %o: %s', (payload, type) => {
    expect(typeOf(payload)).toBe(type);
  });

  const PLACES = { typeHeader: 'X-Event', typePath: 'meta.kinds.0' };
  const PAYLOAD = { type: 'guess', meta: { kinds: ['by path'] } };

  it('is where the source says: the header before the path, the path before any guess', () => {
    expect(typeOf(PAYLOAD, PLACES, { 'x-event': 'by header' })).toBe('by header');
    expect(typeOf(PAYLOAD, PLACES, { 'x-event': '' })).toBe('by path');
    expect(typeOf(PAYLOAD, PLACES)).toBe('by path');
    expect(typeOf({ type: 'guess' }, PLACES)).toBe('guess');
    expect(typeOf({}, PLACES)).toBe('untyped');
    expect(typeOf(PAYLOAD, { typeHeader: null, typePath: null })).toBe('guess');
  });

  it('is not chosen among several headers of one name', () => {
    const webhook = incomingWebhook({ ...headersOf(), 'X-Event': 'a', 'x-event': 'b' }, body);
    expect(refusalOf(() => provider.identify(webhook, {}, '', undefined, PLACES))).toMatchObject({ part: 'X-Event' });
  });
});

describe('Standard Webhooks secrets', () => {
  it.each([
    ['without a prefix that is not base64', 'MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLa_-'],
    ['with too much padding', 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw='],
    ['with padding in the middle', 'whsec_MfKQ9r8=KYqrTwjUPD8ILPZIo2LaLaSw'],
    ['with nothing after the prefix', 'whsec_'],
    ['that is not base64', 'whsec_not base64!'],
    ['whose base64 is cut off', 'whsec_MfKQ9'],
    ['that is a public key of the wrong length', `whpk_${Buffer.alloc(31).toString('base64')}`],
    ['that is a public key without content', 'whpk_'],
    ["that is the sender's private key", ed25519.signWith],
  ])('are refused %s, and match nothing', (_, secret) => {
    expect(refusalOf(() => provider.checkSecret(secret))).toBeInstanceOf(ValidationError);
    expect(refusalOf(() => verify(headersOf(), secret))).toMatchObject({ reason: 'mismatch' });
  });

  const bytes = Buffer.from('twenty-five bytes, padded');
  const forms = ['whsec_', ''].flatMap((prefix) => [
    prefix + bytes.toString('base64'),
    prefix + bytes.toString('base64').replaceAll('=', ''),
  ]);

  it.each(forms)('are taken as the reference library takes them, prefixed or not, padded or not: %s', (secret) => {
    const timestamp = Math.floor(Date.now() / 1000);
    const headers = {
      'webhook-id': 'msg_1',
      'webhook-timestamp': String(timestamp),
      'webhook-signature': new Webhook(secret).sign('msg_1', new Date(timestamp * 1000), body.toString()),
    };
    expect(() => provider.checkSecret(secret)).not.toThrow();
    expect(provider.verify(incomingWebhook(headers, body), [{ id: 'k', value: secret }])).toMatchObject({
      secretId: 'k',
    });
  });

  it.each(['v1,', 'v1a,'])('say which part to give when they start with %s', (version) => {
    const refusal = refusalOf(() => provider.checkSecret(version + SECRET));
    expect(refusal).toBeInstanceOf(ValidationError);
    expect(refusal).toMatchObject({ message: expect.stringMatching(/what follows the comma/) });
    expect(refusal).not.toMatchObject({ message: expect.stringContaining(SECRET.slice(-10)) });
  });

  it('are of 24 to 64 bytes when they are given; one that is stored already goes on verifying', () => {
    const secretOf = (length: number) => `whsec_${Buffer.alloc(length, 7).toString('base64')}`;
    for (const length of [24, 64]) expect(() => provider.checkSecret(secretOf(length))).not.toThrow();
    for (const length of [1, 2, 23, 65, 100]) {
      const refusal = refusalOf(() => provider.checkSecret(secretOf(length)));
      expect(refusal).toBeInstanceOf(ValidationError);
      expect(refusal).toMatchObject({ message: expect.stringContaining(`24 to 64 bytes`) });
      expect(verify(headersOf(secretOf(length)), secretOf(length)).secretId).toBe('whsec');
    }
  });

  it.each(['plain', 'whpk_AAAA', 'whsk_AAAA', ed25519.verifyWith])('cannot sign when they are %s', (secret) => {
    expect(refusalOf(() => headersOf(secret))).toBeInstanceOf(ValidationError);
  });

  it('never verify with the private key', () => {
    expect(refusalOf(() => verify(headersOf(ed25519.signWith), ed25519.signWith))).toMatchObject({
      reason: 'mismatch',
    });
  });

  it('are read once, and again when a thousand others came between', () => {
    const key = standardKey(ed25519.verifyWith);
    expect(standardKey(ed25519.verifyWith)).toBe(key);
    for (let index = 0; index < 1000; index++) {
      standardKey(`whpk_${Buffer.from(String(index).padStart(32)).toString('base64')}`);
    }
    expect(standardKey(ed25519.verifyWith)).not.toBe(key);
    expect(verify(headersOf(ed25519.signWith), ed25519.verifyWith).secretId).toBe('whpk_');
  });
});

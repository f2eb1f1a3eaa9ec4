import { createHmac } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { hmacScheme } from './hmac-scheme.js';
import { HmacProvider } from './hmac.provider.js';
import type { HmacScheme } from './webhook-provider.js';
import { describeWebhookProvider, incomingWebhook, PAYLOAD_HASH, refusalOf } from './webhook-provider.contract.js';

const provider = new HmacProvider();
const TIMESTAMP = 1_700_000_000;
const keys = [
  { signWith: 'own-secret-1', verifyWith: 'own-secret-1' },
  { signWith: 'own-secret-2', verifyWith: 'own-secret-2' },
] as const;

describeWebhookProvider('HmacProvider with its defaults', {
  provider,
  keys,
  signatureHeader: 'X-Signature',
  signsTime: false,
  id: { path: ['id'] },
  type: { path: ['type'] },
  freelyTyped: true,
});

describeWebhookProvider('HmacProvider with id, time and headers of its own', {
  provider,
  keys,
  signatureHeader: 'X-Acme-Signature',
  alsoSigned: ['X-Acme-Time', 'X-Acme-Id'],
  signsTime: true,
  id: { header: 'X-Acme-Id' },
  type: { header: 'X-Acme-Event' },
  freelyTyped: true,
  scheme: hmacScheme({
    signatureHeader: 'X-Acme-Signature',
    algorithm: 'sha384',
    encoding: 'base64url',
    prefix: 'acme ',
    template: 'v2:{id}:{timestamp}:{body}:end',
    timestampHeader: 'X-Acme-Time',
    idHeader: 'X-Acme-Id',
    typeHeader: 'X-Acme-Event',
  }),
});

const NESTED = hmacScheme({
  algorithm: 'sha512',
  encoding: 'base64',
  idPath: 'data.event.id',
  typePath: 'data.kind',
});
describeWebhookProvider('HmacProvider with paths into the body', {
  provider,
  keys,
  signatureHeader: 'X-Signature',
  signsTime: false,
  id: { path: ['data', 'event', 'id'] },
  type: { path: ['data', 'kind'] },
  freelyTyped: true,
  scheme: NESTED,
  sample: (eventType, eventId, timestamp) => provider.sample(eventType, eventId, timestamp, NESTED),
});

const body = Buffer.from('{"id":"evt_1","type":"x"}');
const secrets = [{ id: 'k', value: 'secret' }];

describe('a custom HMAC scheme', () => {
  it('describes Slack, whose documentation gives this request', () => {
    const text =
      'token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V' +
      '&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=' +
      '&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN' +
      '&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c';
    const headers = {
      'X-Slack-Request-Timestamp': '1531420618',
      'X-Slack-Signature': 'v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503',
    };
    const scheme = hmacScheme({
      signatureHeader: 'X-Slack-Signature',
      prefix: 'v0=',
      template: 'v0:{timestamp}:{body}',
      timestampHeader: 'X-Slack-Request-Timestamp',
    });
    const slack = [{ id: 'slack', value: '8f742231b10e8888abcd99yyyzzz85a5' }];
    expect(provider.verify(incomingWebhook(headers, Buffer.from(text)), slack, scheme)).toEqual({
      secretId: 'slack',
      signedAt: 1531420618,
    });
  });

  it.each(['sha256', 'sha384', 'sha512'] as const)('signs with %s in every encoding', (algorithm) => {
    for (const encoding of ['hex', 'base64', 'base64url'] as const) {
      const signature = createHmac(algorithm, 'secret').update(body).digest(encoding);
      const webhook = incomingWebhook({ 'X-Signature': signature }, body);
      expect(provider.verify(webhook, secrets, hmacScheme({ algorithm, encoding })).secretId).toBe('k');
      expect(provider.sign({ body, eventId: 'e', eventType: 't', timestamp: 0 }, 'secret', hmacScheme({ algorithm, encoding }))).toEqual({ 'X-Signature': signature }); // prettier-ignore
    }
  });

  it('reads base64url with padding and without', () => {
    const signature = createHmac('sha256', 'secret').update(body).digest('base64url');
    const scheme = hmacScheme({ encoding: 'base64url' });
    const verify = (value: string) => provider.verify(incomingWebhook({ 'X-Signature': value }, body), secrets, scheme);
    expect(verify(`${signature}=`).secretId).toBe('k');
    expect(refusalOf(() => verify(`${signature}==`))).toMatchObject({ reason: 'malformed' });
  });

  it('reads the time from X-Timestamp unless told otherwise', () => {
    const scheme = hmacScheme({ template: '{timestamp}.{body}' });
    const headers = provider.sign({ body, eventId: 'e', eventType: 't', timestamp: TIMESTAMP }, 'secret', scheme);
    expect(headers['X-Timestamp']).toBe(String(TIMESTAMP));
    expect(provider.verify(incomingWebhook(headers, body), secrets, scheme).signedAt).toBe(TIMESTAMP);
    delete headers['X-Timestamp'];
    expect(refusalOf(() => provider.verify(incomingWebhook(headers, body), secrets, scheme))).toMatchObject({
      reason: 'missing',
      header: 'X-Timestamp',
    });
  });

  it.each(['soon', '1.5', '-1', 'Infinity', '1700000000000000'])('refuses a signed time of %s', (time) => {
    const scheme = hmacScheme({ template: '{timestamp}.{body}' });
    const signature = createHmac('sha256', 'secret').update(`${time}.`).update(body).digest('hex');
    const webhook = incomingWebhook({ 'X-Signature': signature, 'X-Timestamp': time }, body);
    expect(refusalOf(() => provider.verify(webhook, secrets, scheme))).toMatchObject({ reason: 'malformed' });
  });

  it('does not report a time that is sent but not signed', () => {
    const scheme = hmacScheme({ timestampHeader: 'X-Timestamp' });
    const signature = createHmac('sha256', 'secret').update(body).digest('hex');
    const webhook = incomingWebhook({ 'X-Signature': signature, 'X-Timestamp': '1' }, body);
    expect(provider.verify(webhook, secrets, scheme).signedAt).toBeUndefined();
  });

  it('reads own properties only', () => {
    const payload = Object.assign(Object.create({ inherited: 'x' }), { type: 'x', list: ['a', { id: 'b' }] });
    const identify = (idPath: string) =>
      provider.identify(incomingWebhook({}, body), payload, PAYLOAD_HASH, hmacScheme({ idPath })); // prettier-ignore
    expect(identify('list.0').eventId).toBe('a');
    expect(identify('list.1.id').eventId).toBe('b');
    for (const path of [
      'inherited',
      'constructor.name',
      '__proto__.constructor.name',
      'list.length',
      'type.length',
      'list.9',
    ]) {
      expect(refusalOf(() => identify(path))).toMatchObject({ status: 400, part: path });
    }
  });
});

describe('hmacScheme', () => {
  it('completes a scheme', () => {
    expect(hmacScheme({})).toEqual({
      signatureHeader: 'X-Signature',
      algorithm: 'sha256',
      encoding: 'hex',
      prefix: '',
      template: '{body}',
      idPath: 'id',
      typePath: 'type',
    });
  });

  it('lets a header win over a path', () => {
    const scheme = hmacScheme({ idHeader: 'X-Id', idPath: 'data.id', typeHeader: 'X-Type' });
    expect(scheme).toMatchObject({ idHeader: 'X-Id', typeHeader: 'X-Type' });
    expect(scheme).not.toHaveProperty('idPath');
    expect(scheme).not.toHaveProperty('typePath');
  });

  it.each<[keyof HmacScheme, Partial<Record<keyof HmacScheme, string>>]>([
    ['signatureHeader', { signatureHeader: 'X Signature' }],
    ['signatureHeader', { signatureHeader: '' }],
    ['timestampHeader', { timestampHeader: 'a:b' }],
    ['idHeader', { idHeader: 'x\r\ny' }],
    ['typeHeader', { typeHeader: 'x'.repeat(101) }],
    ['algorithm', { algorithm: 'md5' }],
    ['algorithm', { algorithm: 'toString' }],
    ['encoding', { encoding: 'utf8' }],
    ['prefix', { prefix: 'é' }],
    ['prefix', { prefix: 'x'.repeat(65) }],
    ['idPath', { idPath: 'data..id' }],
    ['idPath', { idPath: '' }],
    ['typePath', { typePath: 'x'.repeat(256) }],
    ['template', { template: '' }],
    ['template', { template: '{timestamp}' }],
    ['template', { template: '{body}{body}' }],
    ['template', { template: '{body}{secret}' }],
    ['template', { template: '{body' }],
    ['template', { template: '{id}.{body}' }],
    ['template', { template: `{body}${'x'.repeat(255)}` }],
  ])('refuses a wrong %s: %o', (field, given) => {
    expect(refusalOf(() => hmacScheme(given as Partial<HmacScheme>))).toMatchObject({
      status: 400,
      details: { errors: [{ path: `scheme.${field}` }] },
    });
  });

  it('names every wrong field at once', () => {
    const refusal = refusalOf(() => hmacScheme({ signatureHeader: '', idPath: '.', template: '' }));
    expect(refusal).toMatchObject({
      details: { errors: [{ path: 'scheme.signatureHeader' }, { path: 'scheme.idPath' }, { path: 'scheme.template' }] },
    });
  });
});

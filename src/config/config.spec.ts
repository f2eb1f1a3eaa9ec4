import { availableParallelism } from 'node:os';
import { describe, expect, it } from '@jest/globals';
import { type Config, loadConfig } from './config.js';

const SECRETS = { ENCRYPTION_KEY: 'a'.repeat(64), JWT_SECRET: 'a'.repeat(64) };
const REDIS_URL = 'redis://127.0.0.1:6379';

describe('where limits are counted', () => {
  it.each<[Config['rateLimitStore'], Record<string, string>]>([
    ['memory', {}],
    ['memory', { REPLICAS: '1' }],
    ['memory', { PROCESSES: '4' }],
    ['redis', { REDIS_URL }],
    ['redis', { REDIS_URL, REPLICAS: '3' }],
    ['postgres', { REPLICAS: '2' }],
    ['postgres', { REDIS_URL, RATE_LIMIT_STORE: 'postgres' }],
    ['memory', { REDIS_URL, RATE_LIMIT_STORE: 'memory' }],
  ])('is %s for %j', (store, environment) => {
    expect(loadConfig({ ...SECRETS, ...environment }).rateLimitStore).toBe(store);
  });

  it.each([
    ['RATE_LIMIT_STORE: memory is for one server', { RATE_LIMIT_STORE: 'memory', REPLICAS: '2' }],
    ['RATE_LIMIT_STORE: redis needs a REDIS_URL', { RATE_LIMIT_STORE: 'redis' }],
    ['RATE_LIMIT_STORE:', { RATE_LIMIT_STORE: 'mysql' }],
    ['RATE_LIMIT_SHADOW', { RATE_LIMIT_SHADOW: 'perSecond,perYear' }],
    ['RATE_LIMIT_TOKEN_BUCKET', { RATE_LIMIT_TOKEN_BUCKET: 'perYear' }],
    ['RATE_LIMIT_PER_SECOND', { RATE_LIMIT_PER_SECOND: '-1' }],
  ])('stops the start with "%s" for %j', (problem, environment) => {
    expect(() => loadConfig({ ...SECRETS, ...environment })).toThrow(problem);
  });
});

describe('RATE_LIMIT_WINDOW_MS and RATE_LIMIT_MAX_REQUESTS', () => {
  it.each<[Record<string, string>, number | undefined, number | undefined]>([
    [{}, undefined, undefined],
    [{ RATE_LIMIT_WINDOW_MS: ' ', RATE_LIMIT_MAX_REQUESTS: '' }, undefined, undefined],
    [{ RATE_LIMIT_WINDOW_MS: '900000', RATE_LIMIT_MAX_REQUESTS: '100' }, 900_000, 100],
    [{ RATE_LIMIT_WINDOW_MS: '1000', RATE_LIMIT_MAX_REQUESTS: '0' }, 1000, 0],
  ])('are read together: %j', (environment, windowMs, requests) => {
    const { RATE_LIMIT_WINDOW_MS, RATE_LIMIT_MAX_REQUESTS } = loadConfig({ ...SECRETS, ...environment });
    expect([RATE_LIMIT_WINDOW_MS, RATE_LIMIT_MAX_REQUESTS]).toEqual([windowMs, requests]);
  });

  it.each([
    ['RATE_LIMIT_MAX_REQUESTS: set it together with RATE_LIMIT_WINDOW_MS', { RATE_LIMIT_WINDOW_MS: '900000' }],
    ['RATE_LIMIT_WINDOW_MS: set it together with RATE_LIMIT_MAX_REQUESTS', { RATE_LIMIT_MAX_REQUESTS: '100' }],
    [
      'RATE_LIMIT_WINDOW_MS: must be a whole number from 1000 to 86400000',
      { RATE_LIMIT_WINDOW_MS: '15m', RATE_LIMIT_MAX_REQUESTS: '100' },
    ],
    [
      'RATE_LIMIT_WINDOW_MS: must be a whole number from 1000 to 86400000',
      { RATE_LIMIT_WINDOW_MS: '999', RATE_LIMIT_MAX_REQUESTS: '100' },
    ],
    [
      'RATE_LIMIT_MAX_REQUESTS: must be a whole number from 0 to 100000000',
      { RATE_LIMIT_WINDOW_MS: '900000', RATE_LIMIT_MAX_REQUESTS: '-1' },
    ],
  ])('stop the start with "%s" for %j', (problem, environment) => {
    expect(() => loadConfig({ ...SECRETS, ...environment })).toThrow(problem);
  });
});

describe('PROCESSES', () => {
  it.each<[string, Record<string, string>, number]>([
    ['1 unless told', {}, 1],
    ['1 for a blank', { PROCESSES: ' ' }, 1],
    ['the number', { PROCESSES: '4' }, 4],
    ['64 at most', { PROCESSES: '64' }, 64],
    ['one for each core', { PROCESSES: 'auto' }, Math.min(availableParallelism(), 64)],
  ])('is %s: %j', (_, environment, processes) => {
    expect(loadConfig({ ...SECRETS, ...environment }).PROCESSES).toBe(processes);
  });

  it.each(['0', '65', '-1', '1.5', 'many', 'AUTO'])('"%s" stops the start', (PROCESSES) => {
    expect(() => loadConfig({ ...SECRETS, PROCESSES })).toThrow(
      'PROCESSES: must be "auto" or a whole number from 1 to 64',
    );
  });
});

describe('CORS_ORIGINS', () => {
  it.each<[string, string[]]>([
    ['', []],
    ['https://app.example', ['https://app.example']],
    ['https://app.example , http://localhost:5173,', ['https://app.example', 'http://localhost:5173']],
    ['http://[::1]:3000,https://xn--mnchen-3ya.example', ['http://[::1]:3000', 'https://xn--mnchen-3ya.example']],
  ])('"%s" are the origins %j', (CORS_ORIGINS, origins) => {
    expect(loadConfig({ ...SECRETS, CORS_ORIGINS }).CORS_ORIGINS).toEqual(origins);
  });

  it.each([
    ['*', 'name each origin'],
    ['https://app.example,*', 'name each origin'],
    ['null', 'no origin'],
    ['app.example', 'no origin'],
    ['https://*.app.example', 'name each origin'],
    ['ftp://app.example', 'no origin'],
    ['https://app.example/', 'did you mean https://app.example?'],
    ['https://app.example/path', 'did you mean https://app.example?'],
    ['https://App.Example', 'did you mean https://app.example?'],
    ['https://app.example:443', 'did you mean https://app.example?'],
    ['https://münchen.example', 'did you mean https://xn--mnchen-3ya.example?'],
    ['https://ann:secret@app.example', 'no origin'],
  ])('"%s" stops the start: %s', (CORS_ORIGINS, problem) => {
    const load = () => loadConfig({ ...SECRETS, CORS_ORIGINS });
    expect(load).toThrow(problem);
    expect(load).toThrow('CORS_ORIGINS');
  });
});

describe('mail', () => {
  it('needs nothing on a machine of your own', () => {
    const { SMTP_URL, MAIL_FROM } = loadConfig(SECRETS);
    expect([SMTP_URL, MAIL_FROM]).toEqual([undefined, { name: 'Holdfast', address: 'no-reply@holdfast.invalid' }]);
  });

  it.each([
    ['SMTP_URL: must be a URL starting with smtp:// or smtps://', { SMTP_URL: 'mail.example.com:25' }],
    ['MAIL_FROM: must be an e-mail address', { MAIL_FROM: 'Holdfast' }],
    ['MAIL_FROM: must be an e-mail address', { MAIL_FROM: 'a@example.com\r\nBcc: b@example.com' }],
  ])('stops the start with "%s" for %j', (problem, environment) => {
    expect(() => loadConfig({ ...SECRETS, ...environment })).toThrow(problem);
  });

  it('needs a sender in production, once it is really sent', () => {
    const production = { ...SECRETS, NODE_ENV: 'production', DATABASE_URL: 'postgres://db/holdfast' };
    const SMTP_URL = 'smtps://me:secret@mail.example.com';
    expect(() => loadConfig({ ...production, SMTP_URL })).toThrow('MAIL_FROM: with SMTP_URL production needs');
    expect(() => loadConfig(production)).not.toThrow(/MAIL_FROM/);
    expect(() => loadConfig({ ...production, SMTP_URL, MAIL_FROM: 'no-reply@example.com' })).not.toThrow(/MAIL_FROM/);
    expect(() => loadConfig({ ...production, SMTP_URL })).toThrow('PUBLIC_URL: with SMTP_URL production needs');
    for (const variable of ['PUBLIC_URL', 'ACCOUNT_PAGES_URL']) {
      expect(() => loadConfig({ ...production, SMTP_URL, [variable]: 'https://pay.example.com' })).not.toThrow(
        /PUBLIC_URL/,
      );
    }
    for (const url of [
      'https://a.example/?next=1',
      'https://a.example/#x',
      'https://me:pw@a.example',
      'https://a.example/?',
    ]) {
      expect(() => loadConfig({ ACCOUNT_PAGES_URL: url })).toThrow('ACCOUNT_PAGES_URL: must have no query, fragment');
    }
  });
});

describe('WEBHOOK_ALLOW_PRIVATE_TARGETS', () => {
  it.each<[Record<string, string>, boolean]>([
    [{}, false],
    [{ WEBHOOK_ALLOW_PRIVATE_TARGETS: ' ' }, false],
    [{ WEBHOOK_ALLOW_PRIVATE_TARGETS: 'false' }, false],
    [{ WEBHOOK_ALLOW_PRIVATE_TARGETS: 'true' }, true],
  ])('of %j is %j', (environment, allowed) => {
    expect(loadConfig({ ...SECRETS, ...environment }).WEBHOOK_ALLOW_PRIVATE_TARGETS).toBe(allowed);
  });

  it.each(['1', '0', 'yes', 'TRUE', 'no'])('"%s" stops the start', (WEBHOOK_ALLOW_PRIVATE_TARGETS) => {
    expect(() => loadConfig({ ...SECRETS, WEBHOOK_ALLOW_PRIVATE_TARGETS })).toThrow(
      'WEBHOOK_ALLOW_PRIVATE_TARGETS: must be true or false',
    );
  });
});

describe('WEBHOOK_ALLOWED_PRIVATE_CIDRS', () => {
  it.each<[string, string[]]>([
    ['', []],
    ['10.1.0.0/16, fd12::/16,192.168.7.7', ['10.1.0.0/16', 'fd12::/16', '192.168.7.7']],
  ])('"%s" are the ranges %j', (WEBHOOK_ALLOWED_PRIVATE_CIDRS, ranges) => {
    expect(loadConfig({ ...SECRETS, WEBHOOK_ALLOWED_PRIVATE_CIDRS }).WEBHOOK_ALLOWED_PRIVATE_CIDRS).toEqual(ranges);
  });

  it.each(['10.0.0.0/33', 'crm.internal', '10.1'])('"%s" stops the start', (WEBHOOK_ALLOWED_PRIVATE_CIDRS) => {
    expect(() => loadConfig({ ...SECRETS, WEBHOOK_ALLOWED_PRIVATE_CIDRS })).toThrow(
      `WEBHOOK_ALLOWED_PRIVATE_CIDRS: "${WEBHOOK_ALLOWED_PRIVATE_CIDRS}" is neither an IP address nor a CIDR range`,
    );
  });
});

describe('PAYSTACK_API_BASE', () => {
  it.each([
    ['', 'https://api.paystack.co'],
    ['http://127.0.0.1:4010', 'http://127.0.0.1:4010'],
    ['https://paystack.example/api/', 'https://paystack.example/api'],
  ])('"%s" is %s', (PAYSTACK_API_BASE, base) => {
    expect(loadConfig({ ...SECRETS, PAYSTACK_API_BASE }).PAYSTACK_API_BASE).toBe(base);
  });

  it.each([
    ['api.paystack.co', 'must be a URL starting with http:// or https://'],
    ['ftp://api.paystack.co', 'must be a URL starting with http:// or https://'],
    ['https://api.paystack.co/?v=1', 'must have no query'],
    ['https://me:pw@api.paystack.co', 'must have no query'],
  ])('"%s" stops the start: %s', (PAYSTACK_API_BASE, problem) => {
    expect(() => loadConfig({ ...SECRETS, PAYSTACK_API_BASE })).toThrow(`PAYSTACK_API_BASE: ${problem}`);
  });
});

describe('STRIPE_SECRET_KEY and STRIPE_API_BASE', () => {
  it.each(['sk_test_4eC39HqLyjWD', 'sk_live_4eC39HqLyjWD', 'rk_test_4eC39HqLyjWD', 'rk_live_4eC39HqLyjWD'])(
    'take %s',
    (STRIPE_SECRET_KEY) => {
      expect(loadConfig({ ...SECRETS, STRIPE_SECRET_KEY }).STRIPE_SECRET_KEY).toBe(STRIPE_SECRET_KEY);
    },
  );

  it.each(['https://api.stripe.com', 'https://api.stripe.com/', 'http://127.0.0.1:12111', 'http://[::1]:12111'])(
    'take %s',
    (STRIPE_API_BASE) => {
      expect(loadConfig({ ...SECRETS, STRIPE_API_BASE }).STRIPE_API_BASE).toBe(STRIPE_API_BASE);
    },
  );

  it('have no value unless told', () => {
    const { STRIPE_SECRET_KEY, STRIPE_API_BASE } = loadConfig({
      ...SECRETS,
      STRIPE_SECRET_KEY: ' ',
      STRIPE_API_BASE: '',
    });
    expect([STRIPE_SECRET_KEY, STRIPE_API_BASE]).toEqual([undefined, undefined]);
  });

  it.each([
    ['STRIPE_SECRET_KEY: must be a secret', { STRIPE_SECRET_KEY: 'pk_test_4eC39HqLyjWD' }],
    ['STRIPE_SECRET_KEY: must be a secret', { STRIPE_SECRET_KEY: 'whsec_4eC39HqLyjWD' }],
    ['STRIPE_SECRET_KEY: must be a secret', { STRIPE_SECRET_KEY: 'sk_test_4eC39HqLyjWD\n' }],
    ['STRIPE_API_BASE: must be a URL', { STRIPE_API_BASE: 'api.stripe.com' }],
    ['STRIPE_API_BASE: must have nothing after', { STRIPE_API_BASE: 'https://api.stripe.com/v1' }],
    ['STRIPE_API_BASE: must have nothing after', { STRIPE_API_BASE: 'https://me:pw@api.stripe.com' }],
    ['STRIPE_API_BASE: must have nothing after', { STRIPE_API_BASE: 'https://api.stripe.com?a=b' }],
  ])('stop the start with "%s" for %j', (problem, environment) => {
    expect(() => loadConfig({ ...SECRETS, ...environment })).toThrow(problem);
  });
});

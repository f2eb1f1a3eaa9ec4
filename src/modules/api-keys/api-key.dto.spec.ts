import 'reflect-metadata';
import type { ArgumentMetadata } from '@nestjs/common';
import { describe, expect, it } from '@jest/globals';
import { ValidationError } from '../../kernel/app-error.js';
import { validationPipe } from '../../platform/http/index.js';
import { CreateApiKeyDto } from './api-key.dto.js';

const pipe = validationPipe();
const body: ArgumentMetadata = { type: 'body', metatype: CreateApiKeyDto };
const good = { name: 'shop', scopes: ['webhooks:read'] };

const refused = async (input: unknown): Promise<string[]> => {
  const error: unknown = await pipe.transform(input, body).catch((thrown: unknown) => thrown);
  if (!(error instanceof ValidationError)) throw new Error('accepted');
  const { errors } = error.details;
  return Array.isArray(errors) ? errors.map(({ path }) => String(path)) : [];
};

describe('CreateApiKeyDto', () => {
  it.each([
    good,
    { ...good, name: 'Ünïcode 漢字 🔑', scopes: ['wallet:read', 'admin'] },
    { ...good, expiresAt: '2999-02-28T23:59:59Z', limits: { perMinute: 600, 'webhooks.ingest': 0 } },
    { ...good, expiresAt: '2999-02-28T23:59:59.123+02:00', limits: {} },
    { ...good, expiresAt: null, limits: null },
  ])('accepts %j', async (input) => {
    await expect(pipe.transform(input, body)).resolves.toEqual(input);
  });

  it.each([undefined, null, 7, '', '   ', 'x'.repeat(101), 'a\u0000b', 'a\nb', ['shop']])(
    'refuses the name %j',
    async (name) => {
      expect(await refused({ ...good, name })).toEqual(['name']);
    },
  );

  it.each([undefined, null, 'admin', [], ['root'], ['admin', 'admin'], [null], [['admin']], { 0: 'admin' }])(
    'refuses the scopes %j',
    async (scopes) => {
      expect(await refused({ ...good, scopes })).toEqual(['scopes']);
    },
  );

  it.each([
    'tomorrow',
    '2999-01-01',
    '2999-01-01T00:00:00',
    '2999-02-29T00:00:00Z',
    '2999-13-01T00:00:00Z',
    '2999-01-01T24:00:01Z',
    32_472_144_000,
    {},
  ])('refuses %j as expiresAt: it is no RFC 3339 time', async (expiresAt) => {
    expect(await refused({ ...good, expiresAt })).toEqual(['expiresAt']);
  });

  it.each([
    [],
    'many',
    5,
    { perMinute: -1 },
    { perMinute: 1.5 },
    { perMinute: '5' },
    { perMinute: 2 ** 53 },
    { 'a b': 1 },
  ])('refuses the limits %j', async (limits) => {
    expect(await refused({ ...good, limits })).toEqual(['limits']);
  });

  it('refuses fields it does not know', async () => {
    expect(await refused({ ...good, key: 'hf_mine' })).toEqual(['key']);
  });

  it('answers a very long name at once', async () => {
    const started = performance.now();
    await refused({ ...good, name: `${'a'.repeat(250_000)}\u0000` });
    expect(performance.now() - started).toBeLessThan(1000);
  });
});

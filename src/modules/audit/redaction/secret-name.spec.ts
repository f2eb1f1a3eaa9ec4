import { describe, expect, it } from '@jest/globals';
import { isSecretName } from './secret-name.js';

describe('isSecretName', () => {
  it.each([
    'secret',
    'clientSecret',
    'client_secret',
    'webhook-secret',
    'webhookSecrets',
    'password',
    'newPassword',
    'PASSWORD',
    'token',
    'accessToken',
    'refreshtoken',
    'Authorization',
    'signature',
    'Stripe-Signature',
    'apiKey',
    'apikey',
    'X-API-Key',
    'key',
    'keys',
    'card',
    'cardNumber',
    'cardnumber',
    'cvc',
    'Set-Cookie',
    'HTTPAuthorization',
  ])('says so of %s', (name) => {
    expect(isSecretName(name)).toBe(true);
  });

  it.each([
    'secretId',
    'apiKeyId',
    'api_key_id',
    'keyName',
    'keyPrefix',
    'tokenCount',
    'passwordChangedAt',
    'cardLast4',
    'card_brand',
    'monkey',
    'discard',
    'author',
    'eventId',
    'spinning',
    '',
    '---',
  ])('does not say so of %s', (name) => {
    expect(isSecretName(name)).toBe(false);
  });
});

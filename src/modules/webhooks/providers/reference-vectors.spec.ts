import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { webhookProvider } from './provider-registry.js';
import { PROVIDER_NAMES, type ProviderName } from './webhook-provider.js';
import { incomingWebhook, refusalOf } from './webhook-provider.contract.js';

interface ReferenceVector {
  provider: ProviderName;
  secret: string;
  headers: Record<string, string>;
  body: string;
  now?: number;
  valid: boolean;
  source: string;
}

const file = new URL('../../../../test/vectors/webhook-signatures.json', import.meta.url);
const vectors: ReferenceVector[] = JSON.parse(readFileSync(file, 'utf8'));

describe('published signatures', () => {
  it.each(vectors)('$source ($provider)', ({ provider, secret, headers, body, now, valid }) => {
    const verify = (text: string) =>
      webhookProvider(provider).verify(incomingWebhook(headers, Buffer.from(text)), [
        { id: 'published', value: secret },
      ]);
    if (valid) expect(verify(body)).toEqual({ secretId: 'published', signedAt: now });
    else expect(refusalOf(() => verify(body))).toMatchObject({ status: 401 });
    expect(refusalOf(() => verify(`${body} `))).toMatchObject({ status: 401, reason: 'mismatch' });
  });

  it('are there for more than one provider', () => {
    expect(new Set(vectors.map(({ provider }) => provider)).size).toBeGreaterThan(1);
  });
});

describe('webhookProvider', () => {
  it.each(PROVIDER_NAMES)('finds %s by its name, the same one each time', (name) => {
    expect(webhookProvider(name).name).toBe(name);
    expect(webhookProvider(name)).toBe(webhookProvider(name));
  });
});

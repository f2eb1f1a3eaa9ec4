import { randomBytes, randomUUID } from 'node:crypto';
import { webhookProvider } from '../../modules/webhooks/providers/provider-registry.js';
import type { ProviderName } from '../../modules/webhooks/providers/webhook-provider.js';

type Provider = ReturnType<typeof webhookProvider>;

/** How an `hmac` source signs; nobody else has one. */
export type Scheme = Parameters<Provider['sign']>[2];

export interface WantedEvent {
  /** Undefined for the provider's usual one. */
  type: string | undefined;
  /** Undefined for a new one each time. */
  id: string | undefined;
  /** Sent instead of a sample. */
  file: Buffer | undefined;
  /** Unix seconds the sample tells; the same for all of a run, so that events with the same id have the same body. */
  madeAt: number;
  /** How far from now the signed time lies. */
  shiftSeconds: number;
  /** Whether the signature is of another body. */
  forged: boolean;
}

export interface SignedEvent {
  body: Buffer;
  headers: Record<string, string>;
}

/** In the form of the provider's own. */
const NEW_IDS: Readonly<Record<ProviderName, () => string>> = {
  stripe: () => `evt_${token(24)}`,
  paystack: () => token(15).toLowerCase(),
  gorgias: randomUUID,
  shopify: randomUUID,
  github: randomUUID,
  standard: () => `msg_${token(27)}`,
  hmac: randomUUID,
};

/** One event as the provider would send it. @throws ValidationError when the secret is none to sign with */
export function newEvent(
  name: ProviderName,
  { type, id, file, madeAt, shiftSeconds, forged }: WantedEvent,
  { secret, scheme }: { secret: string; scheme: Scheme },
): SignedEvent {
  const provider = webhookProvider(name);
  const eventId = id ?? NEW_IDS[name]();
  const sample = provider.sample(type, eventId, madeAt, scheme);
  const body = file ?? Buffer.from(JSON.stringify(sample.body));
  const signed = {
    body: forged ? Buffer.concat([body, Buffer.from(' ')]) : body,
    eventId,
    eventType: sample.eventType,
    timestamp: Math.floor(Date.now() / 1000) + shiftSeconds,
  };
  return { body, headers: { ...provider.sign(signed, secret, scheme), 'Content-Type': 'application/json' } };
}

/** Whether a signature of the provider's grows stale. */
export function signsTime(name: ProviderName, scheme: Scheme): boolean {
  return name === 'stripe' || name === 'standard' || (scheme?.template.includes('{timestamp}') ?? false);
}

function token(length: number): string {
  return randomBytes(2 * length)
    .toString('base64')
    .replace(/[^A-Za-z0-9]/g, '')
    .slice(0, length);
}

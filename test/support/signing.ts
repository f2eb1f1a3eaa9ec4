import { createHmac, sign as signWithKey, type KeyObject } from 'node:crypto';

/**
 * The providers' signatures, written from their documentation with nothing but node:crypto: what the server accepts is
 * checked against these and not against its own code.
 */
export type Signer = (body: Buffer, parts: SignedParts) => Record<string, string>;

export interface SignedParts {
  secret: string;
  /** Unix seconds. */
  timestamp: number;
  /** For the schemes that name the event in headers. */
  id: string;
  type: string;
}

export const SECRETS = {
  stripe: 'whsec_dGhlLXN0cmlwZS10ZXN0LXNlY3JldA',
  /** No key of Paystack's API (sk_test_, sk_live_): it takes webhooks and no payments. */
  paystack: 'paystack-4f1c0a9be27d65830b1e6f2a',
  gorgias: 'gorgias-b7c1f8e05d2a4936',
  shopify: 'shpss_8a6d1f4e3b2c90d7',
  github: "It's a Secret to Everybody",
  standard: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
  hmac: 'hmac-5e0c93ab6f7d4182',
} as const;

/** What makes a source of each provider exist from the start. */
export const SECRET_VARIABLES: Record<string, string> = {
  STRIPE_WEBHOOK_SECRET: SECRETS.stripe,
  PAYSTACK_SECRET_KEY: SECRETS.paystack,
  GORGIAS_WEBHOOK_SECRET: SECRETS.gorgias,
  SHOPIFY_WEBHOOK_SECRET: SECRETS.shopify,
  GITHUB_WEBHOOK_SECRET: SECRETS.github,
  STANDARD_WEBHOOK_SECRET: SECRETS.standard,
  HMAC_WEBHOOK_SECRET: SECRETS.hmac,
};

const hmac = (algorithm: string, key: string | Buffer, ...parts: (string | Buffer)[]) =>
  parts.reduce((mac, part) => mac.update(part), createHmac(algorithm, key));

export const stripeSignature = (body: Buffer, secret: string, timestamp: number | string): string =>
  hmac('sha256', secret, `${timestamp}.`, body).digest('hex');

export const signers = {
  stripe: (body, { secret, timestamp }) => ({
    'Stripe-Signature': `t=${timestamp},v1=${stripeSignature(body, secret, timestamp)}`,
  }),
  paystack: (body, { secret }) => ({ 'x-paystack-signature': hmac('sha512', secret, body).digest('hex') }),
  gorgias: (body, { secret }) => ({ 'X-Gorgias-Signature': hmac('sha256', secret, body).digest('hex') }),
  shopify: (body, { secret, id, type }) => ({
    'X-Shopify-Hmac-Sha256': hmac('sha256', secret, body).digest('base64'),
    'X-Shopify-Webhook-Id': id,
    'X-Shopify-Topic': type,
  }),
  github: (body, { secret, id, type }) => ({
    'X-Hub-Signature-256': `sha256=${hmac('sha256', secret, body).digest('hex')}`,
    'X-GitHub-Delivery': id,
    'X-GitHub-Event': type,
  }),
  standard: (body, { secret, timestamp, id }) => ({
    'webhook-id': id,
    'webhook-timestamp': String(timestamp),
    'webhook-signature': `v1,${standardSignature(body, secret, timestamp, id)}`,
  }),
  hmac: (body, { secret }) => ({ 'X-Signature': hmac('sha256', secret, body).digest('hex') }),
} satisfies Record<string, Signer>;

export function standardSignature(body: Buffer, secret: string, timestamp: number, id: string): string {
  const key = Buffer.from(secret.slice('whsec_'.length), 'base64');
  return hmac('sha256', key, `${id}.${timestamp}.`, body).digest('base64');
}

/** `v1a` of Standard Webhooks. */
export function ed25519Signature(body: Buffer, key: KeyObject, timestamp: number, id: string): string {
  return signWithKey(null, Buffer.concat([Buffer.from(`${id}.${timestamp}.`), body]), key).toString('base64');
}

import { Stripe } from 'stripe';

/**
 * What requests are made in and answers and events are read in. The package's types are of this version: another package asks for
 * another look at everything here.
 */
export const STRIPE_API_VERSION = '2026-10-28.endive' satisfies Stripe.LatestApiVersion;

/** Over all of a request, up to the last byte of the answer. */
const TIMEOUT_MS = 20_000;

/**
 * Stripe's package, made to send each request once. Its Node client sends a reset request a second time even with
 * `maxNetworkRetries: 0` (23.1, `RequestSender._shouldRetry`), and its time-out begins anew with every byte; its fetch client does
 * neither.
 *
 * @param base of a stand-in: scheme, host and port
 */
export function openStripe(secretKey: string, base?: string): Stripe {
  return new Stripe(secretKey, {
    apiVersion: STRIPE_API_VERSION,
    httpClient: Stripe.createFetchHttpClient(fetchOnce),
    maxNetworkRetries: 0,
    timeout: TIMEOUT_MS,
    telemetry: false,
    ...(base !== undefined && addressOf(base)),
  });
}

/** A redirect would send the request again, key and all. */
const fetchOnce: typeof fetch = (url, init) => fetch(url, { ...init, redirect: 'error' });

function addressOf(base: string): { protocol: 'http' | 'https'; host: string; port: string } {
  const { protocol, hostname, port } = new URL(base);
  const isPlain = protocol === 'http:';
  return { protocol: isPlain ? 'http' : 'https', host: hostname, port: port || (isPlain ? '80' : '443') };
}

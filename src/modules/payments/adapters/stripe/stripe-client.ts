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
 * @param timeout milliseconds
 */
export function openStripe(secretKey: string, base?: string, timeout = TIMEOUT_MS): Stripe {
  return new Stripe(secretKey, {
    apiVersion: STRIPE_API_VERSION,
    httpClient: Stripe.createFetchHttpClient(fetchOnce),
    maxNetworkRetries: 0,
    timeout,
    telemetry: false,
    ...(base !== undefined && addressOf(base)),
  });
}

/** More than any list of ours takes: a hundred objects of a few KiB each. */
const MOST_BYTES = 8 * 1024 * 1024;

/**
 * `fetch` for Stripe's package. A redirect would send the request again, key and all.
 *
 * The answer is read here, within the package's deadline: once the headers have come, its signal may not reach `fetch` any more (Node
 * 20: nothing but the garbage collector's mercy holds the connection between the two), and an answer that stops in the middle would
 * never end. JSON that is no object has no end either, because the package fails on it where nobody catches that (23.1,
 * `_jsonResponseHandler`): it is handed over as a text that is no JSON, as the HTML of a proxy would be.
 */
const fetchOnce: typeof fetch = async (url, init) => {
  const signal = init?.signal ?? undefined;
  const response = await fetch(url, { ...init, redirect: 'error' });
  const text = await readWithin(response, signal);
  const { status, headers } = response;
  if (status === 204 || status === 304) return new Response(null, { status, headers });
  return new Response(/^\s*\{/.test(text) ? text : `not an object: ${text}`, { status, headers });
};

async function readWithin(response: Response, signal: AbortSignal | undefined): Promise<string> {
  const reader = response.body?.getReader();
  if (reader === undefined) return '';
  const aborted = new Promise<never>((_, reject) => {
    const end = () => reject(signal?.reason instanceof Error ? signal.reason : new Error('The answer took too long'));
    if (signal?.aborted) end();
    else signal?.addEventListener('abort', end, { once: true });
  });
  try {
    const chunks: Uint8Array[] = [];
    for (let bytes = 0; ;) {
      const { done, value } = await Promise.race([reader.read(), aborted]);
      if (done) return Buffer.concat(chunks).toString();
      chunks.push(value);
      bytes += value.length;
      if (bytes > MOST_BYTES) throw new Error(`The answer has more than ${MOST_BYTES} bytes`);
    }
  } finally {
    aborted.catch(() => undefined);
    reader.cancel().catch(() => undefined);
  }
}

function addressOf(base: string): { protocol: 'http' | 'https'; host: string; port: string } {
  const { protocol, hostname, port } = new URL(base);
  const isPlain = protocol === 'http:';
  return { protocol: isPlain ? 'http' : 'https', host: hostname, port: port || (isPlain ? '80' : '443') };
}

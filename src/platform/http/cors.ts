import fastifyCors from '@fastify/cors';
import type { FastifyInstance } from 'fastify';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** False where no browser of another origin has any business. Read by `@fastify/cors`. */
    cors?: boolean;
  }
}

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'];

/** What a browser may send beside what it always may. */
const REQUEST_HEADERS = [
  'Authorization',
  'Content-Type',
  'X-API-Key',
  'Accept',
  'Idempotency-Key',
  'X-Idempotency-Key',
];

/** What a script in a browser may read beside what it always may. */
const ANSWER_HEADERS = [
  'X-Request-Id',
  'X-RateLimit-Limit',
  'X-RateLimit-Remaining',
  'X-RateLimit-Reset',
  'RateLimit',
  'RateLimit-Policy',
  'Retry-After',
  'X-Idempotent-Replay',
  'Idempotent-Replayed',
  'X-Idempotency-Age',
  'X-Idempotency-Created',
];

/** Seconds a browser may remember a preflight. */
const MAX_AGE = 600;

/**
 * Lets pages of these origins call the API from a browser (CORS). Preflights are answered before anything asks for a
 * credential or counts a request. Any other origin, also `null` and none, is answered as if there were no CORS: its
 * preflight is 405. Webhook routes take no part: their senders are no browsers. Before any route is added.
 *
 * @param origins exact, `https://app.example`; with none nothing is installed, and nothing costs anything
 */
export function installCors(fastify: FastifyInstance, origins: readonly string[]): void {
  if (origins.length === 0) return;
  const allowed = new Set(origins);
  fastify.addHook('onRoute', (route) => {
    if (!route.config?.rawBody || route.method === 'OPTIONS') return;
    route.config.cors = false;
    // Else the plugin's own route for preflights, which knows nothing of what is behind it, would answer.
    fastify.options(route.url, { config: { cors: false } }, (_request, reply) => reply.callNotFound());
  });
  void fastify.register(fastifyCors, {
    origin: (origin, done) => done(null, origin !== undefined && allowed.has(origin) ? origin : false),
    methods: METHODS,
    allowedHeaders: REQUEST_HEADERS,
    exposedHeaders: ANSWER_HEADERS,
    maxAge: MAX_AGE,
    credentials: false,
    // An OPTIONS that is no preflight is answered like one: the plugin's refusal would be plain text.
    strictPreflight: false,
  });
}

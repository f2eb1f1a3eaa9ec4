import type { FastifyRequest } from 'fastify';
import type { VerifiedSignature } from '../providers/webhook-provider.js';
import type { ActiveSource } from '../sources/source-directory.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** Set by `WebhookSourceGuard`. */
    webhookSource?: ActiveSource;
    /** Set by `WebhookSignatureGuard`. */
    webhookSignature?: VerifiedSignature;
  }
}

interface PathParameters {
  source?: string;
  topic?: string;
}

export type WebhookRequest = FastifyRequest<{ Params: PathParameters; Body: Buffer | undefined }>;

const EMPTY = Buffer.alloc(0);

/** The name in the path, or the one fixed by an alias such as `/api/stripe/webhook`. */
export function sourceName(request: WebhookRequest): string {
  return request.params.source ?? request.routeOptions.config.webhookSource ?? '';
}

/** The exact bytes received. */
export function rawBody(request: WebhookRequest): Buffer {
  return request.body ?? EMPTY;
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The source of a route whose path does not name one. */
    webhookSource?: string;
  }
}

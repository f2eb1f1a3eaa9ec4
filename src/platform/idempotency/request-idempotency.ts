import type { StoredAnswer } from './claim.js';
import type { RequestClaim } from './request-claim.js';

/** What a request's key led to so far. */
export interface RequestIdempotency {
  readonly claim: RequestClaim;
  /** Set by the guard when the request is known to be a repeat. */
  answer?: StoredAnswer;
  /** For handlers of guarded routes: an earlier attempt ended without an answer; go on from what it left. */
  resumed?: boolean;
  /** For handlers of guarded routes: aborts when another attempt may have taken over. */
  signal?: AbortSignal;
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Set by the `IdempotencyGuard` on `@Idempotent` routes when the request has a key. */
    idempotency?: RequestIdempotency;
  }
}

import type { FastifyRequest } from 'fastify';
import { type Principal, type RequestContext, requestContextOf } from '../../platform/auth/index.js';
import type { RequestClaim } from '../../platform/idempotency/index.js';

/** Who asks for money to move, from where, and under which idempotency key. */
export interface Caller {
  readonly principal: Principal;
  readonly context: RequestContext;
  readonly claim: RequestClaim;
}

/**
 * Reads it from the request in one go. Money routes take the bare request and call this: each of Nest's parameter
 * decorators would send its value through the global pipe, a promise apiece.
 */
export function callerOf(request: FastifyRequest): Caller {
  const claim = request.idempotency?.claim;
  if (!claim) throw new TypeError(`${request.method} ${request.routeOptions.url} does not require an idempotency key.`);
  return { principal: principalOf(request), context: requestContextOf(request), claim };
}

export function principalOf({ principal, method, routeOptions }: FastifyRequest): Principal {
  if (!principal) throw new TypeError(`${method} ${routeOptions.url} is public: there is no caller.`);
  return principal;
}

/** The end user who is calling, who acts on accounts of their own only; undefined for a service. */
export function endUserOf(principal: Principal): string | undefined {
  return principal.kind === 'user' ? principal.id : undefined;
}

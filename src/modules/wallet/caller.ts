import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { type Principal, type RequestContext, requestContextOf } from '../../platform/auth/index.js';
import type { RequestClaim } from '../../platform/idempotency/index.js';

/** Who asks for money to move, from where, and under which idempotency key. */
export interface Caller {
  readonly principal: Principal;
  readonly context: RequestContext;
  readonly claim: RequestClaim;
}

/** A parameter of type `Caller`, for routes that require an idempotency key. */
export const CurrentCaller = createParamDecorator((_: unknown, execution: ExecutionContext): Caller => {
  const request = execution.switchToHttp().getRequest<FastifyRequest>();
  const { principal, idempotency } = request;
  if (!principal || !idempotency) {
    throw new TypeError(`${request.method} ${request.routeOptions.url} is public or requires no idempotency key.`);
  }
  return { principal, context: requestContextOf(request), claim: idempotency.claim };
});

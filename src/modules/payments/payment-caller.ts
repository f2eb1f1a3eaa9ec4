import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import {
  endUserOf,
  ForbiddenError,
  type Principal,
  type RequestContext,
  requestContextOf,
} from '../../platform/auth/index.js';
import type { RequestClaim } from '../../platform/idempotency/index.js';
import type { ChangeCause } from './payment.js';

/** Who asks for a call to a provider, from where, and under which idempotency key. */
export interface PaymentCaller {
  readonly principal: Principal;
  readonly context: RequestContext;
  readonly claim: RequestClaim | undefined;
  /** An earlier attempt at the same request ended without an answer. */
  readonly resumed: boolean;
}

/** A parameter of type `PaymentCaller`. */
export const CurrentPaymentCaller = createParamDecorator((_: unknown, execution: ExecutionContext): PaymentCaller => {
  const request = execution.switchToHttp().getRequest<FastifyRequest>();
  const { principal, idempotency } = request;
  if (!principal) throw new TypeError(`${request.method} ${request.routeOptions.url} is public.`);
  return {
    principal,
    context: requestContextOf(request),
    claim: idempotency?.claim,
    resumed: idempotency?.resumed ?? false,
  };
});

export function causeOf({ context }: PaymentCaller): ChangeCause {
  return { source: 'api', actor: context.actor };
}

/** @throws ForbiddenError for an end user */
export function requireService(principal: Principal, what: string): void {
  if (endUserOf(principal) !== undefined) throw new ForbiddenError(`An end user may not ${what}.`);
}

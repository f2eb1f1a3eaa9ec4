import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import type { RequestClaim } from './request-claim.js';

/** A parameter of type `RequestClaim | undefined`: what the request's idempotency key claims, if it has one. */
export const Claim = createParamDecorator(
  (_: unknown, context: ExecutionContext): RequestClaim | undefined =>
    context.switchToHttp().getRequest<FastifyRequest>().idempotency?.claim,
);

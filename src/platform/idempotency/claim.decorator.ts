import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import type { IdempotencyClaim } from './claim.js';

/** A parameter of type `IdempotencyClaim | undefined`: what the request's idempotency key claims, if it has one. */
export const Claim = createParamDecorator(
  (_: unknown, context: ExecutionContext): IdempotencyClaim | undefined =>
    context.switchToHttp().getRequest<FastifyRequest>().idempotency?.claim,
);
